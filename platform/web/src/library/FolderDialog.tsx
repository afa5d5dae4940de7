/** Making a folder, or changing what it is called, where it is, and what its rules choose. */

import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Folder } from "../api/types";
import { Check } from "../ui/Check";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";
import { CoverField } from "./CoverField";
import { options, parents } from "./folders";
import style from "./Library.module.css";
import { conditionOn, isComplete } from "./rules";
import { type Choice, SmartFields } from "./SmartFields";

interface Props {
  /** Null makes a new one. */
  folder: Folder | null;
  folders: readonly Folder[];
  /** What a new one holds. */
  type?: Folder["type"];
  /** In which folder a new one is made. */
  inside: string;
  onClose: () => void;
  onSaved: (folder: Folder) => void;
}

function choiceOf(folder: Folder | null): Choice | null {
  if (!folder?.rules) return null;
  return { rules: folder.rules, order: folder.order, most: folder.most ?? null };
}

/** A folder is made smart or not: that does not change. One of the product changes its cover only. */
export function FolderDialog(props: Props) {
  const { folder, folders, type = "music", inside, onClose, onSaved } = props;
  const [name, setName] = useState(folder?.name ?? "");
  const [description, setDescription] = useState(folder?.description ?? "");
  const [parent, setParent] = useState(folder ? (folder.parent_id ?? "") : inside);
  const [choice, setChoice] = useState(() => choiceOf(folder));
  const [missing, setMissing] = useState(false);
  const refresh = useRefresh();
  const complete = !choice || isComplete(choice.rules);
  const save = useMutation({
    mutationFn: async () => {
      const given = { name: name.trim(), description, parent_id: parent || null, ...choice };
      if (!folder) return body(await api.POST("/api/v1/music/folders/", { body: { ...given, type } }));
      const params = { path: { folder_id: folder.id } };
      return body(await api.PATCH("/api/v1/music/folders/{folder_id}/", { params, body: given }));
    },
    onSuccess: (saved) => {
      refresh();
      onSaved(saved);
    },
  });
  const cover = folder && (
    <CoverField of="folders" id={folder.id} name={folder.name} cover={folder.cover_id} />
  );
  if (folder?.is_system) {
    return (
      <Dialog title={`Change ${folder.name}`} opened onClose={onClose}>
        <div className={style.wide}>
          <p className={css.lead}>This folder belongs to the product: only its cover can be changed.</p>
          {cover}
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={folder ? `Change ${folder.name}` : "New folder"} opened onClose={onClose}>
      <form
        className={style.wide}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(!name.trim());
          if (name.trim() && complete) save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        {cover}
        <TextInput
          label="Name"
          data-autofocus
          maxLength={255}
          value={name}
          error={missing && "Give it a name."}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          label="Description"
          rows={2}
          maxLength={2000}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <NativeSelect
          label="In"
          data={options(parents(folder?.id ?? "", folders), "No other folder")}
          value={parent}
          onChange={(event) => setParent(event.currentTarget.value)}
        />
        {!folder && type === "music" && (
          <Check
            label="Rules choose its tracks"
            checked={choice !== null}
            onChange={(on) =>
              setChoice(on ? { rules: { all: [conditionOn("genre")] }, order: "title", most: null } : null)
            }
          />
        )}
        {choice && <SmartFields choice={choice} onChange={setChoice} />}
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!complete} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
