/** The pattern of a rotation: which line has which turn. */

import { ActionIcon, Button, NativeSelect } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { Channel, Line } from "../api/types";
import { moved } from "../library/folders";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { TrashIcon } from "../ui/icons";
import css from "../ui/Page.module.css";
import { Sorted } from "../ui/Sorted";
import { useLines, useRefresh } from "./api";
import { nameOf } from "./Lines";
import { isBetween } from "./words";

interface Props {
  channel: Channel;
  onClose: () => void;
}

/** A turn of its own, as one line may have several. */
interface TurnOf {
  readonly key: number;
  readonly id: string;
}

const MOST = 200;

/** None at all means by weight. */
export function PatternDialog({ channel, onClose }: Props) {
  const lines: readonly Line[] = useLines(channel.id).data ?? [];
  const offered = lines.filter((line) => !isBetween(line));
  const [turns, setTurns] = useState<readonly TurnOf[]>(() =>
    channel.pattern.map((id, key) => ({ key, id })),
  );
  const [next, setNext] = useState(turns.length);
  const [chosen, setChosen] = useState("");
  const adding = chosen === "" ? (offered[0]?.id ?? "") : chosen;
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: async () => {
      // whatever else of the channel was changed meanwhile stays: only the turns are sent
      const params = { path: { channel_id: channel.id } };
      await api.PATCH("/api/v1/channels/{channel_id}/", {
        params,
        body: { pattern: turns.map(({ id }) => id) },
      });
    },
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  const name = ({ id }: TurnOf) => {
    const line = offered.find((one) => one.id === id);
    return line ? nameOf(line) : "A line that is gone";
  };
  return (
    <Dialog title={`Pattern of ${channel.name}`} opened onClose={onClose}>
      <div className={css.form}>
        <p className={css.lead}>
          {turns.length > 0
            ? "Each turn plays one piece of its line; after the last one comes the first."
            : "Without turns, lines are mixed by their weights."}
        </p>
        <Failure title="The pattern was not saved" error={save.error} />
        <Sorted
          name="Turns"
          items={turns}
          keyOf={({ key }) => String(key)}
          nameOf={name}
          onMove={(from, to) => setTurns(moved(turns, from, to))}
          more={(turn, index) => (
            <ActionIcon
              size={44}
              variant="subtle"
              color="red"
              aria-label={`Remove turn ${index + 1}, ${name(turn)}`}
              onClick={() => setTurns(turns.toSpliced(index, 1))}
            >
              <TrashIcon />
            </ActionIcon>
          )}
        />
        {offered.length > 0 && (
          <div className={css.pair}>
            <NativeSelect
              label="Another turn for"
              data={offered.map((line) => ({ value: line.id, label: nameOf(line) }))}
              value={adding}
              onChange={(event) => setChosen(event.currentTarget.value)}
            />
            <Button
              variant="default"
              disabled={turns.length >= MOST}
              onClick={() => {
                setTurns([...turns, { key: next, id: adding }]);
                setNext(next + 1);
              }}
            >
              Add the turn
            </Button>
          </div>
        )}
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={save.isPending} onClick={() => save.mutate()}>
            Save the pattern
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
