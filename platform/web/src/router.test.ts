import { describe, expect, it } from "vitest";
import { plain, tokenOf } from "./router";

describe("tokenOf", () => {
  it.each([
    ["#token=abc-_1", "abc-_1"],
    ["#other=1&token=abc", "abc"],
    ["#", ""],
    ["", ""],
    ["#token=", ""],
  ])("reads %s", (fragment, token) => {
    expect(tokenOf(fragment)).toBe(token);
  });
});

describe("plain", () => {
  it.each([
    ["/", "/"],
    ["/people/", "/people"],
    ["/signup/confirm", "/signup/confirm"],
  ])("reads %s", (path, expected) => {
    expect(plain(path)).toBe(expected);
  });
});
