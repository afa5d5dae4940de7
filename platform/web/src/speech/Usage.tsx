/** What speech cost, month by month. */

import { Skeleton } from "@mantine/core";
import { count } from "../format";
import { Failure } from "../ui/Failure";
import { Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { money, number } from "./amounts";
import { useUsage } from "./api";

const MONTHS = 12;

/** Previews count as well; what was spoken before costs nothing. */
export function Usage() {
  const { lines, data, isPending, error } = useUsage(MONTHS);
  return (
    <Section
      title="What it cost"
      lead={`Of the last ${MONTHS} months. ${saved(data?.from_cache ?? 0)}`}
    >
      <Failure title="It cannot be shown" error={error} />
      {isPending && (
        <div role="status" aria-label="Loading: usage">
          <Skeleton height={56} />
        </div>
      )}
      {data && lines.length === 0 && <p className={css.lead}>Nothing has been spoken yet.</p>}
      <ul className={css.list} aria-label="Usage">
        {lines.map((line) => (
          <li key={`${line.month} ${line.provider_id ?? line.provider}`} className={css.row}>
            <Row
              title={`${monthOf(line.month)} · ${line.provider}`}
              detail={[
                `${number(line.characters)} characters in ${count(line.calls, "text")}`,
                line.failed > 0 && `${number(line.failed)} refused`,
                line.lost > 0 && `${number(line.lost)} without an answer, which may have been billed`,
              ]
                .filter(Boolean)
                .join(" · ")}
            >
              <span>{money(line.cost)}</span>
            </Row>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function saved(texts: number): string {
  if (texts === 0) return "What was spoken before costs nothing when it is spoken again.";
  return `${count(texts, "text")} cost nothing: the same had been spoken before.`;
}

function monthOf(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}
