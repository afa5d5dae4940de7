import { expect, test } from "vitest";
import { amount, MILLION, money, spent, written } from "./amounts";
import { inTurn, movable, type Ranked, renumbered } from "./order";

function provider(id: string, more: Partial<Ranked> = {}): Ranked {
  return { id, is_offered: false, is_default: false, is_active: true, priority: 100, ...more };
}

const ALL = [
  provider("off", { is_active: false, is_default: true }),
  provider("espeak", { is_offered: true, priority: 1 }),
  provider("theirs", { is_offered: true, is_default: true }),
  provider("b", { priority: 20 }),
  provider("a", { priority: 20 }),
  provider("mine", { is_default: true }),
];

test("providers are asked as the platform asks them", () => {
  expect(inTurn(ALL).map(({ id }) => id)).toEqual(["mine", "theirs", "a", "b", "espeak", "off"]);
  expect(inTurn(ALL, "espeak")[0]?.id).toBe("espeak");
});

test("only one's own change places, and as few are written as can be", () => {
  const mine = movable(inTurn(ALL), ({ is_offered }) => !is_offered);
  expect(mine.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(renumbered(mine, 1, 0)).toEqual([{ id: "b", priority: 10 }]);
  expect(renumbered(mine, 0, -1)).toEqual([{ id: "a", priority: 10 }]);
});

test("money and limits are read and written alike", () => {
  expect([0, 210_000, 1_500_000_000, 500].map(money)).toEqual(["0.00", "0.21", "1,500.00", "0.0005"]);
  expect(amount(" 1,000 ")).toBe(1000);
  expect(amount("2.5", MILLION)).toBe(2_500_000);
  expect(amount("")).toBeNull();
  expect([amount("much"), amount("-1")]).toEqual([NaN, NaN]);
  expect([written(null), written(2_500_000, MILLION)]).toEqual(["", "2.5"]);
});

test("what is spent stands beside its limit", () => {
  const none = { monthly_characters: null, monthly_cost: null };
  expect(spent({ characters: 12, cost: 0 }, none)).toBe("12 characters");
  expect(spent({ characters: 12, cost: 210_000 }, { monthly_characters: 1000, monthly_cost: 5_000_000 })).toBe(
    "12 of 1,000 characters, cost 0.21 of 5.00",
  );
});
