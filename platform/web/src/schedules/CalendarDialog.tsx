/** A calendar: its days, written down or read from an iCalendar file. */

import { ActionIcon, Button, Skeleton, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, body, send } from "../api/client";
import type { Calendar, CalendarSummary, Imported } from "../api/types";
import { count } from "../format";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { TrashIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";
import style from "./CalendarDialog.module.css";

interface Props {
  /** Null makes a new one. */
  calendar: CalendarSummary | null;
  onClose: () => void;
}

/** What is there is read first: the days are saved as a whole. */
export function CalendarDialog({ calendar, onClose }: Props) {
  const [opened, setOpened] = useState(calendar?.id ?? "");
  const found = useQuery({
    queryKey: ["shared", "calendar", opened],
    enabled: opened !== "",
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () =>
      body(await api.GET("/api/v1/calendars/{row_id}/", { params: { path: { row_id: opened } } })),
  });
  return (
    <Dialog title={calendar ? `Change ${calendar.name}` : "New calendar"} opened onClose={onClose}>
      {opened === "" || found.data ? (
        <Form
          key={found.data?.id ?? "new"}
          calendar={found.data ?? null}
          onMade={({ id }) => setOpened(id)}
          onClose={onClose}
        />
      ) : found.error ? (
        <Failure title="The calendar cannot be shown" error={found.error} />
      ) : (
        <div role="status" aria-label="Loading the calendar">
          <Skeleton height={160} />
        </div>
      )}
    </Dialog>
  );
}

interface FormProps {
  calendar: Calendar | null;
  /** A new one stays open: a file can be read into it. */
  onMade: (calendar: Calendar) => void;
  onClose: () => void;
}

interface Day {
  readonly day: string;
  readonly name: string;
}

const MOST = 2000;

function daysOf(calendar: Calendar | null): readonly Day[] {
  return (calendar?.days ?? []).map(({ day, name }) => ({ day, name: name ?? "" }));
}

function Form({ calendar, onMade, onClose }: FormProps) {
  const [name, setName] = useState(calendar?.name ?? "");
  const [description, setDescription] = useState(calendar?.description ?? "");
  const [days, setDays] = useState<readonly Day[]>(() => daysOf(calendar));
  const [tried, setTried] = useState(false);
  const refresh = useRefresh();
  const undated = days.some(({ day }) => !day);
  const save = useMutation({
    mutationFn: async () => {
      const given = { name: name.trim(), description, days: [...days] };
      if (!calendar) return body(await api.POST("/api/v1/calendars/", { body: given }));
      const params = { path: { row_id: calendar.id } };
      return body(await api.PATCH("/api/v1/calendars/{row_id}/", { params, body: given }));
    },
    onSuccess: (saved) => {
      refresh();
      if (calendar) onClose();
      else onMade(saved);
    },
  });
  const put = (i: number, some: Partial<{ day: string; name: string }>) =>
    setDays(days.map((one, at) => (at === i ? { ...one, ...some } : one)));
  return (
    <form
      className={css.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (name.trim() && !undated) save.mutate();
      }}
    >
      <Failure title="Nothing was changed" error={save.error} />
      <TextInput
        label="Name"
        data-autofocus
        maxLength={255}
        value={name}
        error={tried && !name.trim() && "Give it a name."}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label="Description"
        rows={2}
        maxLength={2000}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      <div role="group" aria-label="Days" className={style.days}>
        <p className={style.head}>{days.length === 0 ? "No days yet" : count(days.length, "day")}</p>
        <div className={style.list}>
          {days.map((one, i) => (
            <div key={i} className={style.day}>
              <TextInput
                type="date"
                aria-label={`Day ${i + 1}`}
                value={one.day}
                error={tried && !one.day}
                onChange={(event) => put(i, { day: event.currentTarget.value })}
              />
              <TextInput
                aria-label={`Name of day ${i + 1}`}
                placeholder="Its name"
                maxLength={255}
                value={one.name}
                onChange={(event) => put(i, { name: event.currentTarget.value })}
              />
              <ActionIcon
                size={44}
                variant="subtle"
                color="gray"
                aria-label={`Remove day ${i + 1}`}
                onClick={() => setDays(days.toSpliced(i, 1))}
              >
                <TrashIcon />
              </ActionIcon>
            </div>
          ))}
        </div>
        {tried && undated && (
          <p role="alert" className={style.error}>
            Give every day its date.
          </p>
        )}
        <div className={css.buttons}>
          <Button
            variant="default"
            disabled={days.length >= MOST}
            onClick={() => setDays([...days, { day: "", name: "" }])}
          >
            Add a day
          </Button>
        </div>
      </div>
      {calendar && (
        <Import
          calendar={calendar}
          onRead={(read, replaced) => {
            const known = new Set(read.map(({ day }) => day));
            setDays([...read, ...(replaced ? [] : days.filter(({ day }) => !known.has(day)))]);
          }}
        />
      )}
      <div className={css.actions}>
        <Button variant="default" onClick={onClose}>
          {calendar ? "Cancel" : "Close"}
        </Button>
        <Button type="submit" loading={save.isPending}>
          {calendar ? "Save" : "Make the calendar"}
        </Button>
      </div>
    </form>
  );
}

const LEFT_OUT = {
  cancelled: "is cancelled",
  rule_unsupported: "recurs in a way that is not understood",
  too_long: "lasts over a year",
  no_date: "has no date",
};

interface ImportProps {
  calendar: Calendar;
  /** Days that were written down meanwhile stay, unless the file takes their place. */
  onRead: (days: readonly Day[], replaced: boolean) => void;
}

/** The file's days are kept at once. */
function Import({ calendar, onRead }: ImportProps) {
  const input = useRef<HTMLInputElement>(null);
  const [replace, setReplace] = useState(false);
  const refresh = useRefresh();
  const read = useMutation({
    mutationFn: async (file: File) => {
      const path = `/api/v1/calendars/${calendar.id}/import/?replace=${replace}`;
      return (await (await send(path, "POST", file, "text/calendar")).json()) as Imported;
    },
    onSuccess: (answer) => {
      refresh();
      onRead(daysOf(answer.calendar), replace);
    },
  });
  return (
    <div className={style.days} role="group" aria-label="From a file">
      <Failure title="The file was not read" error={read.error} />
      <Check label="Its days take the place of those above" checked={replace} onChange={setReplace} />
      <div className={css.buttons}>
        <Button variant="default" loading={read.isPending} onClick={() => input.current?.click()}>
          Read an iCalendar file
        </Button>
      </div>
      <input
        ref={input}
        type="file"
        accept=".ics,text/calendar"
        aria-label="iCalendar file"
        hidden
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) read.mutate(file);
        }}
      />
      <div role="status" aria-label="What was read">
        {read.data && <p>{count(read.data.new, "new day")}.</p>}
      </div>
      {read.data && read.data.skipped.length > 0 && (
        <ul className={css.list} aria-label="Left out">
          {read.data.skipped.map(({ name, code }, i) => (
            <li key={i} className={css.detail}>
              {name || "An event"} {LEFT_OUT[code]}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
