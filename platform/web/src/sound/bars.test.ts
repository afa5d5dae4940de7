import { expect, test } from "vitest";
import { bars, outline } from "./bars";

test("each bar is the loudest of its part, and none is lost", () => {
  expect(bars([0, 255, 10, 20, 30, 51], 3, 255)).toEqual([1, 20 / 255, 0.2]);
  expect(bars([1, 2], 10, 2)).toEqual([0.5, 1]);
  expect(bars([], 10, 255)).toEqual([]);
  expect(bars([300], 1, 255)).toEqual([1]);
});

test("silence is a thin line", () => {
  expect(outline([0, 0.5])).toBe("M0.5 0.980V1.020M1.5 0.500V1.500");
});
