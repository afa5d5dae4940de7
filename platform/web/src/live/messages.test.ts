import { expect, it } from "vitest";
import { readMessage } from "./messages";

it("reads what it knows", () => {
  expect(readMessage('{"type":"pong","t":1.5,"frame":2}')).toEqual({ type: "pong", t: 1.5, frame: 2 });
});

it.each(["", "{", "null", "[]", "7", '{"type":"later"}', '{"kind":"pong"}', new ArrayBuffer(4)])(
  "ignores %s",
  (data) => {
    expect(readMessage(data)).toBeNull();
  },
);
