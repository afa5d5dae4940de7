/** Making or changing a day-part or a level of priority. */

import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api } from "../api/client";
import type { DayPart, PriorityLevel } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { whole } from "../ui/whole";
import { useRefresh } from "./api";
import { short } from "./clock";

interface FormProps {
  title: string;
  name: string;
  onName: (name: string) => void;
  /** What is wrong beside a missing name; shown in its field. */
  complete: boolean;
  save: () => Promise<unknown>;
  onClose: () => void;
  fields: (tried: boolean) => ReactNode;
}

function Form({ title, name, onName, complete, save, onClose, fields }: FormProps) {
  const [tried, setTried] = useState(false);
  const refresh = useRefresh();
  const saving = useMutation({
    mutationFn: save,
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  return (
    <Dialog title={title} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (name.trim() && complete) saving.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={saving.error} />
        <TextInput
          label="Name"
          data-autofocus
          maxLength={255}
          value={name}
          error={tried && !name.trim() && "Give it a name."}
          onChange={(event) => onName(event.currentTarget.value)}
        />
        {fields(tried)}
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={saving.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Null makes a new one. */
export function DayPartDialog({ part, onClose }: { part: DayPart | null; onClose: () => void }) {
  const [name, setName] = useState(part?.name ?? "");
  const [from, setFrom] = useState(part ? short(part.start_time) : "08:00");
  const [to, setTo] = useState(part ? short(part.end_time) : "20:00");
  const save = async () => {
    const body = { name: name.trim(), start_time: from, end_time: to };
    if (!part) return api.POST("/api/v1/day-parts/", { body });
    return api.PATCH("/api/v1/day-parts/{row_id}/", { params: { path: { row_id: part.id } }, body });
  };
  const field = (label: string, value: string, onChange: (value: string) => void, tried: boolean) => (
    <TextInput
      label={label}
      type="time"
      value={value}
      error={tried && !value && "Give a time."}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
  return (
    <Form
      title={part ? `Change ${part.name}` : "New day-part"}
      name={name}
      onName={setName}
      complete={Boolean(from && to)}
      save={save}
      onClose={onClose}
      fields={(tried) => (
        <div className={css.pair}>
          {field("From", from, setFrom, tried)}
          {field("To", to, setTo, tried)}
        </div>
      )}
    />
  );
}

/** Null makes a new one. */
export function LevelDialog({ level, onClose }: { level: PriorityLevel | null; onClose: () => void }) {
  const [name, setName] = useState(level?.name ?? "");
  const [written, setWritten] = useState(String(level?.priority ?? 40));
  const priority = whole(written, 0, 100);
  const save = async () => {
    const body = { name: name.trim(), priority: priority ?? 0 };
    if (!level) return api.POST("/api/v1/priority-levels/", { body });
    return api.PATCH("/api/v1/priority-levels/{row_id}/", { params: { path: { row_id: level.id } }, body });
  };
  return (
    <Form
      title={level ? `Change ${level.name}` : "New level"}
      name={name}
      onName={setName}
      complete={priority !== null}
      save={save}
      onClose={onClose}
      fields={(tried) => (
        <TextInput
          label="Priority"
          description="From 0 to 100"
          inputMode="numeric"
          value={written}
          error={tried && priority === null && "A number from 0 to 100."}
          onChange={(event) => setWritten(event.currentTarget.value)}
        />
      )}
    />
  );
}
