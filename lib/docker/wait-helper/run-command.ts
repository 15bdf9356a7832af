import type { Assembler, Register } from "./assembler.ts";
import { frame, kept } from "./frame.ts";
import * as linux from "./linux.ts";
import type { Texts } from "./texts.ts";

/** Where the next folder of PATH begins. */
const folder: Register = "kept3";
/** Address of the command's name. */
const name: Register = "kept4";
/** The worst that has happened so far: what the kernel said, negative. */
const trouble: Register = "kept2";

const [slash, colon, dot] = [0x2f, 0x3a, 0x2e];

/**
 * Becomes the command, with the same process id and environment: the file that it names when there
 * is a slash in it, otherwise the first of that name in the folders of PATH that can be executed. A
 * folder without a name is the working directory.
 */
export function runCommand(asm: Assembler, calls: linux.SystemCalls, texts: Texts): void {
  asm.load(64, name, kept.command, 0);
  asm.set(trouble, -linux.ENOENT);
  asm.move("argument0", name);
  asm.label("findSlash");
  asm.load(8, "argument1", "argument0", 0);
  asm.jumpIf("argument1", "==", 0, "findPath");
  asm.add("argument0", "argument0", 1);
  asm.jumpIf("argument1", "!=", slash, "findSlash");
  asm.move("argument0", name);
  execute(asm, calls);
  asm.move(trouble, "result");
  asm.jumpIf(trouble, "!=", -linux.ENOENT, "cannot");
  texts.address("no such file or directory\n");
  asm.jump("fail");

  findPath(asm);
  tryFolders(asm, calls);
  explain(asm, calls, texts);
}

/** folder = the value of PATH */
function findPath(asm: Assembler): void {
  asm.label("findPath");
  asm.move("argument0", kept.environment);
  asm.label("variable");
  asm.load(64, folder, "argument0", 0);
  asm.jumpIf(folder, "==", 0, "notFound");
  asm.add("argument0", "argument0", 8);
  for (const letter of "PATH=") {
    asm.load(8, "argument1", folder, 0);
    asm.jumpIf("argument1", "!=", letter.charCodeAt(0), "variable");
    asm.add(folder, folder, 1);
  }
  asm.load(8, "argument1", folder, 0);
  asm.jumpIf("argument1", "==", 0, "notFound");
}

/** Puts `<folder>/<name>` together and tries it, folder after folder. */
function tryFolders(asm: Assembler, calls: linux.SystemCalls): void {
  const [to, end, octet, from] = ["argument0", "argument1", "argument2", "argument3"] as const;
  const put = (): void => {
    asm.jumpIf(to, ">=", end, "tooLong");
    asm.store(8, to, 0, octet);
    asm.add(to, to, 1);
  };

  asm.label("folder");
  asm.add(to, "stack", frame.path);
  asm.add(end, "stack", frame.pathEnd);
  asm.load(8, octet, folder, 0);
  asm.jumpIf(octet, "==", 0, "noName");
  asm.jumpIf(octet, "!=", colon, "copyFolder");
  asm.label("noName");
  asm.set(octet, dot);
  put();

  asm.label("copyFolder");
  asm.load(8, octet, folder, 0);
  asm.jumpIf(octet, "==", 0, "copied");
  asm.jumpIf(octet, "==", colon, "copied");
  put();
  asm.add(folder, folder, 1);
  asm.jump("copyFolder");

  asm.label("copied");
  asm.set(octet, slash);
  put();
  asm.move(from, name);
  asm.label("copyName");
  asm.load(8, octet, from, 0);
  put();
  asm.add(from, from, 1);
  asm.jumpIf(octet, "!=", 0, "copyName");
  asm.add("argument0", "stack", frame.path);
  execute(asm, calls);
  asm.jumpIf("result", "==", -linux.ENOENT, "nextFolder");
  asm.jumpIf("result", "==", -linux.ENOTDIR, "nextFolder");
  asm.move(trouble, "result");
  asm.jumpIf(trouble, "!=", -linux.EACCES, "cannot");

  // Such a path cannot be executed, whatever there is.
  asm.label("tooLong");
  asm.label("nextFolder");
  asm.load(8, "argument0", folder, 0);
  asm.jumpIf("argument0", "==", 0, "noneLeft");
  asm.add(folder, folder, 1);
  asm.jumpIf("argument0", "==", colon, "folder");
  asm.jump("nextFolder");
  asm.label("noneLeft");
  asm.jumpIf(trouble, "!=", -linux.ENOENT, "cannot");
}

/** Says why there is no such command, and ends. */
function explain(asm: Assembler, calls: linux.SystemCalls, texts: Texts): void {
  asm.label("notFound");
  texts.address("executable file not found in $PATH\n");
  asm.jump("fail");

  asm.label("cannot");
  texts.address("permission denied\n");
  asm.jumpIf(trouble, "==", -linux.EACCES, "fail");
  texts.address("exec format error\n");
  asm.jumpIf(trouble, "==", -linux.ENOEXEC, "fail");
  texts.address("no such file or directory\n");
  asm.jumpIf(trouble, "==", -linux.ENOTDIR, "fail");
  texts.address("it cannot be executed\n");

  asm.label("fail");
  const reason: Register = "kept5";
  asm.move(reason, "argument1");
  texts.write('exec: "');
  asm.move("argument1", name);
  texts.write();
  texts.write('": ');
  asm.move("argument1", reason);
  texts.write();
  asm.label("end");
  asm.set("argument0", 1);
  asm.systemCall(calls.exit_group);
}

/** Returns only when the file at argument0 cannot be executed. */
function execute(asm: Assembler, calls: linux.SystemCalls): void {
  asm.move("argument1", kept.command);
  asm.move("argument2", kept.environment);
  asm.systemCall(calls.execve);
}
