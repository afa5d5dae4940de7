/** What many schedules share: parts of the day, calendars, and levels of priority. */

import { ActionIcon, Button, Skeleton } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { api } from "../api/client";
import type { CalendarSummary, DayPart, PriorityLevel } from "../api/types";
import { count } from "../format";
import { useMay } from "../session/session";
import { Failure } from "../ui/Failure";
import { TrashIcon } from "../ui/icons";
import { tellDone } from "../ui/notify";
import { Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Remove } from "../ui/Remove";
import { useRefresh, useShared } from "./api";
import { CalendarDialog } from "./CalendarDialog";
import { DayPartDialog, LevelDialog } from "./SharedDialogs";
import { SchedulePages } from "./SchedulePages";
import { spanWords } from "./words";

type Open =
  | { readonly what: "part"; readonly one: DayPart | null }
  | { readonly what: "calendar"; readonly one: CalendarSummary | null }
  | { readonly what: "level"; readonly one: PriorityLevel | null }
  | { readonly what: "remove"; readonly kind: Kind; readonly one: { id: string; name: string } }
  | null;
type Kind = "day-parts" | "calendars" | "priority-levels";

/** Whatever changes here, every schedule that uses it follows. */
export function SharedPage() {
  const mayWrite = useMay("schedules.write");
  const { allParts, allCalendars, allLevels, isPending, error } = useShared();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const buttons = (one: { id: string; name: string }, kind: Kind, onChange: () => void) =>
    mayWrite && (
      <>
        <Button variant="default" aria-label={`Change ${one.name}`} onClick={onChange}>
          Change
        </Button>
        <ActionIcon
          size={44}
          variant="subtle"
          color="red"
          aria-label={`Remove ${one.name}`}
          onClick={() => setOpen({ what: "remove", kind, one })}
        >
          <TrashIcon />
        </ActionIcon>
      </>
    );
  return (
    <Page title="Day-parts and calendars">
      <SchedulePages />
      <Failure title="Not everything can be shown" error={error} />
      <Nouns
        title="Day-parts"
        lead="A stretch of the day with a name. An end before its begin is on the next day."
        verb={mayWrite && "New day-part"}
        empty="There is no day-part yet."
        pending={isPending}
        failed={error !== null}
        all={allParts}
        onMake={() => setOpen({ what: "part", one: null })}
        row={(one) => (
          <Row title={one.name} detail={spanWords(one.start_time, one.end_time)}>
            {buttons(one, "day-parts", () => setOpen({ what: "part", one }))}
          </Row>
        )}
      />
      <Nouns
        title="Calendars"
        lead="Days with a name: holidays, sales, school. They come from an iCalendar file, or are written down."
        verb={mayWrite && "New calendar"}
        empty="There is no calendar yet."
        pending={isPending}
        failed={error !== null}
        all={allCalendars}
        onMake={() => setOpen({ what: "calendar", one: null })}
        row={(one) => (
          <Row title={one.name} detail={[count(one.size, "day"), one.description].filter(Boolean).join(" · ")}>
            {buttons(one, "calendars", () => setOpen({ what: "calendar", one }))}
          </Row>
        )}
      />
      <Nouns
        title="Levels of priority"
        lead="The higher one is heard."
        verb={mayWrite && "New level"}
        empty="There is no level: schedules have numbers of their own."
        pending={isPending}
        failed={error !== null}
        all={allLevels}
        onMake={() => setOpen({ what: "level", one: null })}
        row={(one) => (
          <Row title={one.name} detail={`priority ${one.priority} of 100`}>
            {buttons(one, "priority-levels", () => setOpen({ what: "level", one }))}
          </Row>
        )}
      />
      {open?.what === "part" && <DayPartDialog part={open.one} onClose={close} />}
      {open?.what === "level" && <LevelDialog level={open.one} onClose={close} />}
      {open?.what === "calendar" && <CalendarDialog calendar={open.one} onClose={close} />}
      {open?.what === "remove" && <RemoveShared kind={open.kind} one={open.one} onClose={close} />}
    </Page>
  );
}

interface NounsProps<T> {
  title: string;
  lead: string;
  verb: string | false;
  empty: string;
  pending: boolean;
  failed: boolean;
  all: readonly T[];
  onMake: () => void;
  row: (one: T) => ReactNode;
}

function Nouns<T extends { id: string }>({ title, lead, verb, empty, pending, failed, all, onMake, row }: NounsProps<T>) {
  return (
    <Section title={title} lead={lead} action={verb && <Button onClick={onMake}>{verb}</Button>}>
      {pending && (
        <div role="status" aria-label={`Loading: ${title}`}>
          <Skeleton height={56} />
        </div>
      )}
      {!pending && !failed && all.length === 0 && <p className={css.lead}>{empty}</p>}
      {all.length > 0 && (
        <ul className={css.list} aria-label={title}>
          {all.map((one) => (
            <li key={one.id} className={css.row}>
              {row(one)}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

interface RemoveProps {
  kind: Kind;
  one: { id: string; name: string };
  onClose: () => void;
}

function RemoveShared({ kind, one, onClose }: RemoveProps) {
  const refresh = useRefresh();
  return (
    <Remove
      title={`Remove ${one.name}?`}
      kept
      remove={async () => {
        const params = { path: { row_id: one.id } };
        if (kind === "calendars") await api.DELETE("/api/v1/calendars/{row_id}/", { params });
        else if (kind === "day-parts") await api.DELETE("/api/v1/day-parts/{row_id}/", { params });
        else await api.DELETE("/api/v1/priority-levels/{row_id}/", { params });
      }}
      onClose={onClose}
      onDone={() => {
        refresh();
        tellDone("Removed", one.name);
        onClose();
      }}
    >
      It is only removed while no schedule uses it.
    </Remove>
  );
}
