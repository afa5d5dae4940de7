/** The cover of a track or a folder. */

import { PictureField } from "../ui/PictureField";
import css from "../ui/Page.module.css";
import { useRefresh } from "./api";

interface Props {
  of: "files" | "folders";
  id: string;
  name: string;
  cover: string | null | undefined;
  onChanged?: () => void;
}

/** Its address says which picture it is, so that a new one is never the old one kept. */
export function CoverField({ of, id, name, cover, onChanged }: Props) {
  const refresh = useRefresh();
  const path = `/api/v1/music/${of}/${id}/cover/`;
  return (
    <PictureField
      noun="cover"
      path={path}
      shown={cover ? <img src={`${path}?size=320&v=${cover}`} alt={`Cover of ${name}`} /> : null}
      none={<p className={css.lead}>No cover</p>}
      onChanged={() => {
        refresh();
        onChanged?.();
      }}
    />
  );
}
