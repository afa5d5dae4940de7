import { expect, test } from "vitest";
import { levelOf, loudness } from "./level";
import { nameOf } from "./format";
import { EMPTY, INSECURE, obstacle, troubleOf, UNABLE } from "./trouble";

test("a level is a share of 60 dB", () => {
  expect(levelOf([])).toBe(0);
  expect(levelOf([0, 0])).toBe(0);
  expect(levelOf([0.1, -1])).toBe(1);
  expect(levelOf([0.001])).toBeCloseTo(0);
  expect(levelOf([-0.0316])).toBeCloseTo(0.5, 2);
  expect(levelOf([1e-9])).toBe(0);
  expect([0, 0.3, 0.7, 1].map(loudness)).toEqual(["silent", "quiet", "good", "too loud"]);
});

function thrown(name: string, message = ""): Error {
  return Object.assign(new Error(message), { name });
}

test("every refusal of the microphone says what to do", () => {
  expect(troubleOf(thrown("NotAllowedError")).title).toBe("The microphone was not allowed");
  expect(troubleOf(thrown("SecurityError"))).toBe(troubleOf(thrown("NotAllowedError")));
  expect(troubleOf(thrown("OverconstrainedError"))).toBe(troubleOf(thrown("NotFoundError")));
  expect(troubleOf(thrown("Odd", "the cable")).advice).toContain("the cable");
  expect(troubleOf("odd").advice).not.toBe("");
  expect(EMPTY.advice).not.toBe("");
});

test("a page without HTTPS or without a recorder does not even ask", () => {
  expect(obstacle(false, false, true)).toBe(INSECURE);
  expect(obstacle(true, false, true)).toBe(UNABLE);
  expect(obstacle(true, true, false)).toBe(UNABLE);
  expect(obstacle(true, true, true)).toBeNull();
});

test("a recording is called by what is in it", () => {
  expect(nameOf("audio/webm;codecs=opus")).toBe("recording.webm");
  expect(nameOf("audio/mp4")).toBe("recording.m4a");
  expect(nameOf("audio/ogg; codecs=opus")).toBe("recording.ogg");
  expect(nameOf("")).toBe("recording.webm");
});
