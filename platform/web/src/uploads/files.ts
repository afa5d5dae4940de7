/** Files that were dropped or chosen, with those of folders inside of folders. */

import { looksAudible } from "./rules";

export interface Found {
  readonly files: readonly File[];
  /** Pictures, lists and the like, which are not sent. */
  readonly left: number;
}

/** Of a folder only what may be audio; whoever points at single files means them. */
export function chosen(list: Iterable<File>, folder: boolean): Found {
  const all = [...list];
  const files = folder ? all.filter(({ name, type }) => looksAudible(name, type)) : all;
  return { files, left: all.length - files.length };
}

/** All that was dropped. The entries must be taken before the event is over. */
export async function dropped(data: DataTransfer): Promise<Found> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry());
  const plain = [...data.files];
  const folders = entries.some((entry) => entry?.isDirectory);
  if (!folders) return chosen(plain, false);
  const files: File[] = [];
  for (const entry of entries) if (entry) files.push(...(await below(entry)));
  return chosen(files, true);
}

async function below(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // A folder is told in portions; an empty one is the last.
    const some = await new Promise<FileSystemEntry[]>((done, failed) =>
      reader.readEntries(done, failed),
    );
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await below(one)));
  }
}
