/** The speakers: which are there, how they are, and one of them with all that can be set. */

import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Device } from "../api/types";
import { count, dayAndTime } from "../format";
import { placeName } from "../places/tree";
import { usePlaces } from "../places/places";
import { Link } from "../ui/Link";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { SpeakerPage } from "./SpeakerPage";
import { standing, trouble } from "./words";

/** Heartbeats come every half minute. */
export const ASK_EVERY = 10_000;

/** The list, or the one that the address names. */
export function SpeakersPage({ path }: { path: string }) {
  const id = path.split("/")[2];
  return id ? <SpeakerPage id={id} /> : <Speakers />;
}

function Speakers() {
  const places = usePlaces().data ?? [];
  const list = useList(
    ["devices"],
    async (query) => body(await api.GET("/api/v1/devices/", { params: { query } })),
    () => ASK_EVERY,
  );
  const detail = (device: Device) =>
    [
      device.zone_id ? placeName(device.zone_id, places) : "in no zone",
      standing(device),
      ...(!device.is_online && device.last_seen ? [`last seen ${dayAndTime(device.last_seen)}`] : []),
      ...device.faults.slice(0, 1).map(({ code, detail: more }) => trouble(code, more).what),
      ...(device.faults.length > 1 ? [count(device.faults.length - 1, "other fault")] : []),
    ].join(" · ");
  return (
    <Page title="Speakers">
      <Section title="All speakers" lead="A speaker that is offline plays on from its disk.">
        <Listed
          list={list}
          name="Speakers"
          empty="There is no speaker yet. A technician registers one with the command line."
          keyOf={({ id }) => id}
          row={(device) => (
            <Row
              title={
                <Link className={css.link} href={`/speakers/${device.id}`}>
                  {device.name}
                </Link>
              }
              detail={detail(device)}
            />
          )}
        />
      </Section>
    </Page>
  );
}
