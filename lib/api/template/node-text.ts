import { quote } from "./go-text.ts";
import type { Command, Node, Operand, Pipe } from "./tree.ts";

/** A part of a template in the standard spelling, as messages show it between `<` and `>`. */
export function nodeText(node: Node | Pipe | Command | Operand): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "action":
      return `{{${nodeText(node.pipe)}}}`;
    case "if":
    case "range":
    case "with": {
      const otherwise = node.otherwise === undefined ? "" : `{{else}}${listText(node.otherwise)}`;
      return `{{${node.kind} ${nodeText(node.pipe)}}}${listText(node.body)}${otherwise}{{end}}`;
    }
    case "template": {
      const pipe = node.pipe === undefined ? "" : ` ${nodeText(node.pipe)}`;
      return `{{template ${quote(node.name)}${pipe}}}`;
    }
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "pipe":
      return pipeText(node);
    case "command":
      return node.operands.map(operandText).join(" ");
    default:
      return operandText(node);
  }
}

function listText(nodes: readonly Node[]): string {
  return nodes.map(nodeText).join("");
}

function pipeText({ variables, assigns, commands }: Pipe): string {
  const declared = variables.length === 0 ? "" : `${variables.join(", ")} ${assigns ? "=" : ":="} `;
  return declared + commands.map(nodeText).join(" | ");
}

function operandText(operand: Operand): string {
  switch (operand.kind) {
    case "pipe":
      return `(${pipeText(operand)})`;
    case "identifier":
      return operand.name;
    case "field":
      return path(operand.names);
    case "variable":
      return operand.variable + path(operand.names);
    case "chain":
      return operandText(operand.of) + path(operand.names);
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(operand.bool);
    case "number":
    case "string":
      return operand.written;
  }
}

function path(names: readonly string[]): string {
  return names.map((name) => `.${name}`).join("");
}
