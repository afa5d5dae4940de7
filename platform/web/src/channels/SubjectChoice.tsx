/** Choosing a folder, a track, an announcement or a channel. */

import { NativeSelect } from "@mantine/core";
import { api, body } from "../api/client";
import { useFolders } from "../library/api";
import { options } from "../library/folders";
import { type Found, Finder } from "../ui/Finder";
import { useEveryChannel } from "./api";
import type { Subject } from "./words";

interface Props {
  subject: Subject;
  /** A channel that is not offered: the one that it would go into. */
  not?: string;
  /** Whether folders of announcements are offered too. */
  spoken?: boolean;
  chosen: Found | null;
  error: string | false;
  onChange: (chosen: Found) => void;
}

const FEW = 20;

async function tracks(search: string): Promise<Found[]> {
  const query = { page_size: FEW, ...(search && { search }) };
  const { results } = body(await api.GET("/api/v1/music/files/", { params: { query } }));
  return results.map(({ id, title, artist }) => ({ id, name: title, detail: artist }));
}

async function announcements(search: string): Promise<Found[]> {
  const query = { page_size: FEW, ...(search && { search }) };
  const { results } = body(await api.GET("/api/v1/announcements/", { params: { query } }));
  return results.map(({ id, title }) => ({ id, name: title }));
}

/** Folders and channels in one field, what there may be thousands of by a search. */
export function SubjectChoice({ subject, not, spoken = true, chosen, error, onChange }: Props) {
  if (subject === "track" || subject === "announcement") {
    return (
      <Finder
        label={subject === "track" ? "Which track" : "Which announcement"}
        kind={subject}
        ask={subject === "track" ? tracks : announcements}
        chosen={chosen}
        error={error}
        onChange={onChange}
      />
    );
  }
  const props = { chosen, error, onChange };
  return subject === "folder" ? <FolderChoice {...props} spoken={spoken} /> : <ChannelChoice {...props} not={not ?? ""} />;
}

type ChoiceProps = Pick<Props, "chosen" | "error" | "onChange">;

function FolderChoice({ spoken, ...props }: ChoiceProps & { spoken: boolean }) {
  const music = useFolders("music").folders;
  const said = useFolders("announcement", spoken).folders;
  const some = [
    { group: "Music", items: options(music.map((one) => ({ ...one, name: one.rules ? `${one.name} (smart)` : one.name }))) },
    ...(said.length > 0 ? [{ group: "Announcements", items: options(said) }] : []),
  ];
  const name = (id: string) => [...music, ...said].find((one) => one.id === id)?.name ?? "";
  return <Select label="Which folder" data={some} name={name} {...props} />;
}

function ChannelChoice({ not, ...props }: ChoiceProps & { not: string }) {
  const channels = useEveryChannel().filter(({ id }) => id !== not);
  const data = channels.map(({ id, name }) => ({ value: id, label: name }));
  const name = (id: string) => channels.find((one) => one.id === id)?.name ?? "";
  return <Select label="Which channel" data={data} name={name} {...props} />;
}

interface SelectProps extends ChoiceProps {
  label: string;
  data: readonly ({ value: string; label: string } | { group: string; items: { value: string; label: string }[] })[];
  name: (id: string) => string;
}

function Select({ label, data, name, chosen, error, onChange }: SelectProps) {
  return (
    <NativeSelect
      label={label}
      data={[{ value: "", label: "Choose …", disabled: true }, ...data]}
      value={chosen?.id ?? ""}
      error={error}
      onChange={(event) => {
        const id = event.currentTarget.value;
        onChange({ id, name: name(id) });
      }}
    />
  );
}
