/** One's own picture, which colleagues see. */

import { useState } from "react";
import type { Session } from "../session/session";
import { PersonIcon } from "../ui/icons";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { PictureField } from "../ui/PictureField";

/** Whether there is one, only asking for it tells. */
export function Avatar({ session: { user } }: { session: Session }) {
  const [version, setVersion] = useState(0);
  const [there, setThere] = useState(true);
  return (
    <Section title="Picture" lead="JPEG, PNG or WebP, at most 2 MB; your colleagues see it.">
      <PictureField
        noun="picture"
        path="/api/v1/auth/me/avatar/"
        method="PUT"
        shown={
          there ? (
            <img
              key={version}
              className={css.face}
              src={`/api/v1/users/${user.id}/avatar/?v=${version}`}
              alt="You"
              onError={() => setThere(false)}
            />
          ) : null
        }
        none={<PersonIcon size={48} />}
        onChanged={(now) => {
          setVersion(version + 1);
          setThere(now);
        }}
      />
    </Section>
  );
}
