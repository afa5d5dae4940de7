import { expect, it } from "vitest";
import { advice, asProblem, offline, Problem, problemOf } from "./problem";

it("reads a refusal of the platform", async () => {
  const body = { code: "rev_conflict", detail: "Somebody was faster.", trace: "abc" };
  const problem = await problemOf(new Response(JSON.stringify(body), { status: 409 }));
  expect(problem).toMatchObject({ status: 409, ...body });
  expect(advice(problem)).toContain("try again");
});

it.each(["<html>", "null", "[]", '{"detail":7}', ""])("survives the body %s", async (text) => {
  const problem = await problemOf(new Response(text, { status: 502 }));
  expect(problem).toMatchObject({ status: 502, code: "unreadable" });
  expect(problem.detail).toContain("502");
});

it("says what to do, and gives the number of what should not happen", () => {
  expect(advice(offline())).toContain("network");
  expect(advice(new Problem(500, "bug", "", "0123"))).toContain("0123");
  expect(advice(new Problem(422, "empty_text", "Write something."))).toBe("");
  expect(advice(new Problem(503, "unavailable", "Try again shortly."))).toBe("");
  expect(asProblem(new TypeError("x is not a function")).code).toBe("bug");
});
