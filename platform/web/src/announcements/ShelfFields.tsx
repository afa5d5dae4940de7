/** What an announcement is called, and in which folder it is kept. */

import { NativeSelect, TextInput } from "@mantine/core";
import { useFolders } from "../library/api";
import { options, shelves } from "../library/folders";

interface Props {
  title: string;
  folder: string;
  hint?: string | undefined;
  error?: string | false;
  onTitle: (title: string) => void;
  onFolder: (folder: string) => void;
}

/** Folders of announcements only: what is music goes elsewhere. */
export function ShelfFields({ title, folder, hint, error, onTitle, onFolder }: Props) {
  return (
    <>
      <TextInput
        label="Title"
        description={hint}
        maxLength={200}
        value={title}
        error={error}
        onChange={(event) => onTitle(event.currentTarget.value)}
      />
      <FolderSelect label="Folder" none="In no folder" folder={folder} onFolder={onFolder} />
    </>
  );
}

interface SelectProps {
  label: string;
  /** What choosing none means. */
  none: string;
  folder: string;
  onFolder: (folder: string) => void;
}

/** Nothing at all where there is no folder to choose. */
export function FolderSelect({ label, none, folder, onFolder }: SelectProps) {
  const { folders } = useFolders("announcement");
  const shown = shelves(folders);
  if (shown.length === 0) return null;
  return (
    <NativeSelect
      label={label}
      data={options(shown, none)}
      value={folder}
      onChange={(event) => onFolder(event.currentTarget.value)}
    />
  );
}
