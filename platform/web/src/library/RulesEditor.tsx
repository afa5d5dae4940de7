/** The rules of a smart folder: conditions, and groups of them. */

import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import type { Rules } from "../api/types";
import { TrashIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import style from "./Rules.module.css";
import {
  type Condition,
  conditionOn,
  DEEPEST,
  type Field,
  FIELDS,
  isCondition,
  type Member,
  membersOf,
  withMembers,
} from "./rules";

interface Props {
  rules: Rules;
  onChange: (rules: Rules) => void;
  /** 1 for the outermost group. */
  depth?: number;
}

const FIELD_OPTIONS = Object.entries(FIELDS).map(([value, { label }]) => ({ value, label }));
const WHICH = [
  { value: "all", label: "All of these" },
  { value: "any", label: "Any of these" },
];

/** What is not filled in yet is kept, and nothing is chosen by it. */
export function RulesEditor({ rules, onChange, depth = 1 }: Props) {
  const members = membersOf(rules);
  const put = (next: readonly Member[]) => onChange(withMembers(rules, next));
  const name = depth === 1 ? "Rules" : `Group at depth ${depth}`;
  return (
    <fieldset className={style.group} aria-label={name}>
      <NativeSelect
        label={depth === 1 ? "Tracks that meet" : "that meet"}
        data={WHICH}
        value={rules.any ? "any" : "all"}
        onChange={(event) =>
          onChange(event.currentTarget.value === "any" ? { any: [...members] } : { all: [...members] })
        }
      />
      {members.map((member, index) => (
        <div className={style.member} key={index}>
          {isCondition(member) ? (
            <ConditionRow
              condition={member}
              number={index + 1}
              onChange={(next) => put(members.with(index, next))}
            />
          ) : (
            <RulesEditor
              rules={member}
              depth={depth + 1}
              onChange={(next) => put(members.with(index, next))}
            />
          )}
          <ActionIcon
            size={44}
            variant="subtle"
            color="gray"
            aria-label={isCondition(member) ? `Remove condition ${index + 1}` : `Remove group ${index + 1}`}
            onClick={() => put(members.toSpliced(index, 1))}
          >
            <TrashIcon />
          </ActionIcon>
        </div>
      ))}
      <div className={css.buttons}>
        <Button variant="default" onClick={() => put([...members, conditionOn("genre")])}>
          Add a condition
        </Button>
        {depth < DEEPEST && (
          <Button
            variant="default"
            onClick={() => put([...members, { any: [conditionOn("genre")] }])}
          >
            Add a group
          </Button>
        )}
      </div>
    </fieldset>
  );
}

interface RowProps {
  condition: Condition;
  number: number;
  onChange: (condition: Condition) => void;
}

function ConditionRow({ condition, number, onChange }: RowProps) {
  const { kind } = FIELDS[condition.field];
  const change = (part: Partial<Condition>) => onChange({ ...condition, ...part } as Condition);
  return (
    <div className={style.condition} role="group" aria-label={`Condition ${number}`}>
      <NativeSelect
        aria-label="What"
        data={FIELD_OPTIONS}
        value={condition.field}
        onChange={(event) => onChange(conditionOn(event.currentTarget.value as Field))}
      />
      <NativeSelect
        aria-label="How"
        data={[...kind.ops]}
        value={condition.op}
        onChange={(event) => change({ op: event.currentTarget.value } as Partial<Condition>)}
      />
      {typeof condition.value === "boolean" ? (
        <NativeSelect
          aria-label="Value"
          data={[
            { value: "true", label: "yes" },
            { value: "false", label: "no" },
          ]}
          value={String(condition.value)}
          onChange={(event) => change({ value: event.currentTarget.value === "true" })}
        />
      ) : (
        <TextInput
          aria-label="Value"
          maxLength={255}
          inputMode={typeof condition.value === "number" ? "numeric" : "text"}
          value={Number.isNaN(condition.value) ? "" : condition.value}
          onChange={(event) => {
            const { value } = event.currentTarget;
            change({ value: typeof condition.value === "number" ? Number.parseInt(value, 10) : value });
          }}
        />
      )}
    </div>
  );
}
