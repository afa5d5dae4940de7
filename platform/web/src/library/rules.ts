/** Rules of smart folders as a tree that is changed piece by piece. */

import type { Rules } from "../api/types";

export type Member = NonNullable<Rules["all"]>[number];
export type Condition = Extract<Member, { field: string }>;
export type Field = Condition["field"];

/** How deep groups may nest. */
export const DEEPEST = 4;

interface Kind {
  readonly ops: readonly { readonly value: string; readonly label: string }[];
  readonly first: string | number | boolean;
}

const TEXT: Kind = {
  ops: [
    { value: "contains", label: "contains" },
    { value: "is", label: "is" },
    { value: "is_not", label: "is not" },
    { value: "begins", label: "begins with" },
  ],
  first: "",
};
const TAG: Kind = {
  ops: [
    { value: "has", label: "have" },
    { value: "has_not", label: "do not have" },
  ],
  first: "",
};
const AMOUNT: Kind = {
  ops: [
    { value: "at_least", label: "at least" },
    { value: "at_most", label: "at most" },
    { value: "is", label: "exactly" },
  ],
  first: 0,
};
const MOMENT: Kind = {
  ops: [
    { value: "within_days", label: "within the last days" },
    { value: "not_within_days", label: "not within the last days" },
  ],
  first: 30,
};
const FLAG: Kind = { ops: [{ value: "is", label: "is" }], first: true };

/** What conditions are about, by the names that the platform has for it. */
export const FIELDS: Readonly<Record<Field, { readonly label: string; readonly kind: Kind }>> = {
  genre: { label: "Genre", kind: TEXT },
  artist: { label: "Artist", kind: TEXT },
  album: { label: "Album", kind: TEXT },
  title: { label: "Title", kind: TEXT },
  filename: { label: "File name", kind: TEXT },
  licence: { label: "Licence", kind: TEXT },
  tags: { label: "Tags", kind: TAG },
  year: { label: "Year", kind: AMOUNT },
  duration: { label: "Length in seconds", kind: AMOUNT },
  play_count: { label: "Times played", kind: AMOUNT },
  added: { label: "Added", kind: MOMENT },
  last_played: { label: "Last played", kind: MOMENT },
  explicit: { label: "Explicit", kind: FLAG },
  offline_allowed: { label: "May be kept offline", kind: FLAG },
  valid: { label: "Valid today", kind: FLAG },
};

/** Whether it is one condition, and no group of them. */
export function isCondition(member: Member): member is Condition {
  return "field" in member;
}

/** What a group is made of. */
export function membersOf(rules: Rules): readonly Member[] {
  return rules.all ?? rules.any ?? [];
}

/** The same group of other members. */
export function withMembers(rules: Rules, members: readonly Member[]): Rules {
  return rules.any ? { any: [...members] } : { all: [...members] };
}

/** A condition on `field` that says nothing yet. */
export function conditionOn(field: Field): Condition {
  const { ops, first } = FIELDS[field].kind;
  // Each field has its own operators and values; the table above is what keeps them together.
  return { field, op: ops[0]?.value, value: first } as Condition;
}

/** Whether something is left to be filled in. */
export function isComplete(rules: Rules): boolean {
  const members = membersOf(rules);
  return (
    members.length > 0 &&
    members.every((member) => {
      if (!isCondition(member)) return isComplete(member);
      if (typeof member.value === "string") return member.value.trim() !== "";
      if (typeof member.value === "boolean") return true;
      const least = FIELDS[member.field].kind === MOMENT ? 1 : 0;
      return Number.isInteger(member.value) && member.value >= least;
    })
  );
}
