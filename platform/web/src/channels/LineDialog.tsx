/** Adding a line to a channel, or changing how it is heard. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Channel, Line } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import type { Found } from "../ui/Finder";
import css from "../ui/Page.module.css";
import { Radios } from "../ui/Radios";
import { whole } from "../ui/whole";
import { useRefresh } from "./api";
import { nameOf } from "./Lines";
import { SubjectChoice } from "./SubjectChoice";
import { COLUMN, type Subject, SUBJECT, subjectOf } from "./words";

interface Props {
  channel: Channel;
  /** Null adds one. */
  line: Line | null;
  onClose: () => void;
}

const SUBJECTS = (["folder", "track", "announcement", "channel"] as const).map((value) => ({
  value,
  label: SUBJECT[value],
}));
const PLACES = [
  { value: "turn", label: "In turn" },
  { value: "tracks", label: "Between, after so many tracks" },
  { value: "minutes", label: "Between, after so many minutes of music" },
] as const;
type Heard = (typeof PLACES)[number]["value"];
const ORDERS = [
  { value: "shuffled", label: "Shuffled" },
  { value: "given", label: "In its own order" },
];

function heardOf(line: Line | null): Heard {
  if (line && line.after_tracks > 0) return "tracks";
  return line && line.after_minutes > 0 ? "minutes" : "turn";
}

function everyOf(line: Line | null): number {
  const found = line ? Math.max(line.after_tracks, line.after_minutes) : 0;
  return found > 0 ? found : 4;
}

/** Announcements are offered between the tracks at first, as that is where they mostly belong. */
export function LineDialog({ channel, line, onClose }: Props) {
  const [subject, setSubject] = useState<Subject>(line ? subjectOf(line) : "folder");
  const [chosen, setChosen] = useState<Found | null>(null);
  const [heard, setHeard] = useState<Heard>(heardOf(line));
  const [every, setEvery] = useState(String(everyOf(line)));
  const [weight, setWeight] = useState(String(line?.weight ?? 1));
  const [order, setOrder] = useState<Line["order"]>(line?.order ?? "shuffled");
  const [tried, setTried] = useState(false);
  const refresh = useRefresh();
  const weighs = heard === "turn" && channel.mode === "rotated";
  const wrong = {
    chosen: !line && !chosen && "Choose what is to be heard.",
    every: heard !== "turn" && whole(every, 1, 10_000) === null && "A number from 1 to 10,000.",
    weight: weighs && whole(weight, 0, 1000) === null && "A number from 0 to 1,000.",
  };
  const save = useMutation({
    mutationFn: async () => {
      const number = whole(every, 1, 10_000) ?? 0;
      const body = {
        order,
        ...(weighs && { weight: whole(weight, 0, 1000) ?? 1 }),
        after_tracks: heard === "tracks" ? number : 0,
        after_minutes: heard === "minutes" ? number : 0,
      };
      const path = { channel_id: channel.id };
      if (line) {
        const params = { path: { ...path, item_id: line.id } };
        await api.PATCH("/api/v1/channels/{channel_id}/items/{item_id}/", { params, body });
      } else if (chosen) {
        const made = { ...body, [COLUMN[subject]]: chosen.id };
        await api.POST("/api/v1/channels/{channel_id}/items/", { params: { path }, body: made });
      }
    },
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  return (
    <Dialog title={line ? `Change ${nameOf(line)}` : "Add a line"} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!wrong.chosen && !wrong.every && !wrong.weight) save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        {!line && (
          <>
            <Radios
              legend="What"
              data={SUBJECTS}
              value={subject}
              onChange={(next) => {
                setSubject(next);
                setChosen(null);
                if (next === "announcement" && heard === "turn") setHeard("tracks");
              }}
            />
            <SubjectChoice
              key={subject}
              subject={subject}
              not={channel.id}
              chosen={chosen}
              error={tried && wrong.chosen}
              onChange={setChosen}
            />
          </>
        )}
        <Radios legend="When it is heard" data={PLACES} value={heard} onChange={setHeard} />
        <div className={css.pair}>
          {heard !== "turn" && (
            <TextInput
              label={heard === "tracks" ? "Tracks" : "Minutes"}
              inputMode="numeric"
              value={every}
              error={tried && wrong.every}
              onChange={(event) => setEvery(event.currentTarget.value)}
            />
          )}
          {weighs && (
            <TextInput
              label="Weight"
              description="Twice the weight is heard twice as often"
              inputMode="numeric"
              value={weight}
              error={tried && wrong.weight}
              onChange={(event) => setWeight(event.currentTarget.value)}
            />
          )}
          {subject !== "track" && subject !== "announcement" && (
            <NativeSelect
              label="Order inside it"
              data={ORDERS}
              value={order}
              onChange={(event) => setOrder(event.currentTarget.value === "given" ? "given" : "shuffled")}
            />
          )}
        </div>
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {line ? "Save" : "Add it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
