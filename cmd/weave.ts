#!/usr/bin/env bun
import { localRouter, runRouterChild } from "../lib/cli/local-router.ts";
import { processSurroundings } from "../lib/cli/process-surroundings.ts";
import { run } from "../lib/cli/run.ts";

/**
 * The one executable. Its first word decides what it is:
 *
 *   weave router      the router behind `weave launch`, which starts it so
 *   weave <command>   the command line
 */
const words = process.argv.slice(2);
const ended =
  words[0] === "router"
    ? runRouterChild(words.slice(1), process.env)
    : run(words, processSurroundings(localRouter(process.env)));
process.exitCode = await ended;
