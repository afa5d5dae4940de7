/** The lines of a channel: those that are heard in turn, and those between the tracks. */

import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Channel, Line } from "../api/types";
import { moved } from "../library/folders";
import { Asked } from "../ui/Asked";
import { TrashIcon } from "../ui/icons";
import { tellProblem } from "../ui/notify";
import { Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Sorted } from "../ui/Sorted";
import { linesOf, useLines, useRefresh } from "./api";
import { LineDialog } from "./LineDialog";
import { isBetween, lineWords, share, SUBJECT, subjectOf } from "./words";

interface Props {
  channel: Channel;
  mayWrite: boolean;
}

/** Each change is kept at once. */
export function Lines({ channel, mayWrite }: Props) {
  const found = useLines(channel.id);
  const [open, setOpen] = useState<Line | "new" | null>(null);
  const lines = found.data ?? [];
  const change = useChanges(channel.id);
  const turns = lines.filter((one) => !isBetween(one));
  const between = lines.filter(isBetween);
  const group = (all: readonly Line[], name: string) => (
    <Group
      name={name}
      channel={channel}
      lines={all}
      mayWrite={mayWrite}
      onMove={(from, to) => {
        const next = moved(all, from, to);
        change.reorder.mutate(all === turns ? [...next, ...between] : [...turns, ...next]);
      }}
      onChange={setOpen}
      onRemove={(line) => change.remove.mutate(line)}
    />
  );
  return (
    <Section
      title="What it plays"
      lead={mayWrite && turns.length > 1 && "Drag a line, or press its arrows (Alt with an arrow key does the same)."}
      action={mayWrite && <Button onClick={() => setOpen("new")}>Add a line</Button>}
    >
      <Asked of={found} name="Lines" refusal="The lines cannot be shown." />
      {found.data && lines.length === 0 && (
        <p className={css.lead}>
          There is nothing in it yet. Add a folder of music, single tracks, announcements or another
          channel.
        </p>
      )}
      {turns.length > 0 && group(turns, "In turn")}
      {between.length > 0 && (
        <>
          <h3 className={css.name}>Between the tracks</h3>
          {group(between, "Between the tracks")}
        </>
      )}
      {open && (
        <LineDialog
          channel={channel}
          line={open === "new" ? null : open}
          onClose={() => setOpen(null)}
        />
      )}
    </Section>
  );
}

/** Reordering shows at once and goes back where it is refused. */
function useChanges(channel: string) {
  const queries = useQueryClient();
  const refresh = useRefresh();
  const path = { channel_id: channel };
  const reorder = useMutation({
    scope: { id: `order of ${channel}` },
    mutationFn: async (lines: readonly Line[]) => {
      const body = { item_ids: lines.map(({ id }) => id) };
      await api.POST("/api/v1/channels/{channel_id}/reorder/", { params: { path }, body });
    },
    onMutate: async (lines) => {
      await queries.cancelQueries({ queryKey: linesOf(channel) });
      queries.setQueryData(linesOf(channel), lines);
    },
    onError: (error) => tellProblem("The order was not kept", error),
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: async ({ id }: Line) => {
      const params = { path: { ...path, item_id: id } };
      await api.DELETE("/api/v1/channels/{channel_id}/items/{item_id}/", { params });
    },
    onError: (error) => tellProblem("The line was not removed", error),
    onSettled: refresh,
  });
  return { reorder, remove };
}

interface GroupProps {
  name: string;
  channel: Channel;
  lines: readonly Line[];
  mayWrite: boolean;
  onMove: (from: number, to: number) => void;
  onChange: (line: Line) => void;
  onRemove: (line: Line) => void;
}

function Group({ name, channel, lines, mayWrite, onMove, onChange, onRemove }: GroupProps) {
  const words = (line: Line) => (
    <Row
      title={
        <>
          {nameOf(line)}
          <span className={css.tag}>{SUBJECT[subjectOf(line)]}</span>
        </>
      }
      detail={[lineWords(line, channel.mode), share(line, lines, channel)].filter(Boolean).join(" · ")}
    />
  );
  if (!mayWrite) {
    return (
      <ul className={css.list} aria-label={name}>
        {lines.map((line) => (
          <li key={line.id} className={css.row}>
            {words(line)}
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Sorted
      name={name}
      items={lines}
      keyOf={({ id }) => id}
      nameOf={nameOf}
      onMove={onMove}
      row={words}
      more={(line) => (
        <>
          <Button variant="default" aria-label={`Change ${nameOf(line)}`} onClick={() => onChange(line)}>
            Change
          </Button>
          <ActionIcon
            size={44}
            variant="subtle"
            color="red"
            aria-label={`Take ${nameOf(line)} out`}
            onClick={() => onRemove(line)}
          >
            <TrashIcon />
          </ActionIcon>
        </>
      )}
    />
  );
}

/** What a line is called; its subject may be one that this person may not see. */
export function nameOf(line: Line): string {
  return line.name || SUBJECT[subjectOf(line)];
}
