import { expect, test } from "bun:test";
import { controlApp, statusApp } from "../../lib/api/app.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { Alone, ask } from "./test-router.ts";

test("/doctor answers with what was looked at and what was found", async () => {
  const { status, body } = await new Alone().ask("GET", "/doctor");
  expect(status).toBe(200);
  expect(Object.keys(JSON.parse(body))).toEqual(["examined", "findings"]);
});

test("/why takes one place or two", async () => {
  const alone = new Alone();
  const one = JSON.parse((await alone.ask("GET", "/why?from=host2")).body);
  expect(one).toMatchObject({ from: "host2", to: null, verdict: "whole" });
  const two = JSON.parse((await alone.ask("GET", "/why?from=netns%3Ablue&to=db")).body);
  expect(two).toMatchObject({ from: "netns:blue", to: "db" });
});

test("/why without a place is refused with what to ask", async () => {
  const { status, body } = await new Alone().ask("GET", "/why?to=db");
  expect(status).toBe(400);
  expect(JSON.parse(body)).toMatchObject({ code: "QUERY_INCOMPLETE" });
  expect(JSON.parse(body).remedy).toContain("/why?from=");
});

test("/why says when a container is not there", async () => {
  const { router } = new Alone();
  router.diagnosis = {
    ...router.diagnosis,
    why: async () => {
      throw new WeaveError("CONTAINER_UNKNOWN", "network namespace grey does not exist");
    },
  };
  expect((await ask(controlApp(router), "GET", "/why?from=netns%3Agrey")).status).toBe(404);
});

test("only the control address looks for faults: the status address does not", async () => {
  const { router } = new Alone();
  for (const path of ["/doctor", "/why?from=host2"]) {
    expect((await ask(statusApp(router), "GET", path)).status).toBe(404);
  }
});
