/** What a smart folder chooses, in which order, how much of it, and what that would be now. */

import { NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import type { Rules } from "../api/types";
import { count } from "../format";
import css from "../ui/Page.module.css";
import { ORDERS } from "./orders";
import { isComplete } from "./rules";
import { RulesEditor } from "./RulesEditor";

export interface Choice {
  readonly rules: Rules;
  readonly order: string;
  /** Null: all of them. */
  readonly most: number | null;
}

interface Props {
  choice: Choice;
  onChange: (choice: Choice) => void;
}

/** Shown while it is put together. */
export function SmartFields({ choice, onChange }: Props) {
  return (
    <>
      <RulesEditor rules={choice.rules} onChange={(rules) => onChange({ ...choice, rules })} />
      <div className={css.pair}>
        <NativeSelect
          label="In the order of"
          data={ORDERS}
          value={choice.order}
          onChange={(event) => onChange({ ...choice, order: event.currentTarget.value })}
        />
        <TextInput
          label="At most"
          placeholder="All of them"
          inputMode="numeric"
          maxLength={5}
          value={choice.most ?? ""}
          onChange={(event) => {
            const most = Number.parseInt(event.currentTarget.value, 10);
            onChange({ ...choice, most: Number.isNaN(most) || most < 1 ? null : Math.min(most, 10_000) });
          }}
        />
      </div>
      <Preview choice={choice} />
    </>
  );
}

function Preview({ choice }: { choice: Choice }) {
  const [settled] = useDebouncedValue(choice, 400);
  const complete = isComplete(settled.rules);
  const found = useQuery({
    queryKey: ["tracks", "smart", settled],
    enabled: complete,
    queryFn: async () => {
      const query = { page_size: 3, count: true };
      return body(await api.POST("/api/v1/music/smart/preview/", { params: { query }, body: settled }));
    },
  });
  let said = "Looking …";
  if (!complete) said = "Fill in every condition to see what it chooses.";
  else if (found.error) {
    const problem = asProblem(found.error);
    said = `It cannot be tried out. ${problem.detail} ${advice(problem)}`;
  } else if (found.data) {
    const { results, count: all } = found.data;
    const titles = results.map(({ title }) => title).join(", ");
    said = `It holds ${count(all ?? 0, "track")} now${titles && `: ${titles}${(all ?? 0) > 3 ? " …" : ""}`}`;
  }
  return (
    <p className={css.lead} role="status" aria-label="What it would hold">
      {said}
    </p>
  );
}
