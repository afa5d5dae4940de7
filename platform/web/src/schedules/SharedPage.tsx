/** What many schedules share: parts of the day, calendars, and levels of priority. */

import { ActionIcon, Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { api } from "../api/client";
import type { CalendarSummary, DayPart, PriorityLevel } from "../api/types";
import { count } from "../format";
import { useMay } from "../session/session";
import { Asked, type Asking } from "../ui/Asked";
import { TrashIcon } from "../ui/icons";
import { tellDone } from "../ui/notify";
import { Items, Page, Row, Section } from "../ui/Page";
import { Remove } from "../ui/Remove";
import { useEachShared, useRefresh } from "./api";
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
  const { parts, calendars, levels } = useEachShared();
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
      <Nouns
        title="Day-parts"
        lead="A stretch of the day with a name. An end before its begin is on the next day."
        verb={mayWrite && "New day-part"}
        empty="There is no day-part yet."
        of={parts}
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
        of={calendars}
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
        of={levels}
        sorted={(all) => all.toSorted((a, b) => b.priority - a.priority)}
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
  of: Asking<readonly T[]>;
  sorted?: (all: readonly T[]) => readonly T[];
  onMake: () => void;
  row: (one: T) => ReactNode;
}

function Nouns<T extends { id: string }>({
  title, lead, verb, empty, of, sorted = (all) => all, onMake, row,
}: NounsProps<T>) {
  return (
    <Section title={title} lead={lead} action={verb && <Button onClick={onMake}>{verb}</Button>}>
      <Asked of={of} name={title}>
        {(all) => <Items all={sorted(all)} name={title} empty={empty} keyOf={({ id }) => id} row={row} />}
      </Asked>
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
