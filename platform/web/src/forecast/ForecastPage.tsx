/** What a zone will sound, by the venue's clock, and why. */

import { Button, NativeSelect, Skeleton, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, body } from "../api/client";
import type { Forecast, Piece } from "../api/types";
import { useLiveState } from "../live/context";
import { usePlaces } from "../places/places";
import { PlaceSelect } from "../places/PlaceSelect";
import { ancestry, grouped, type Narrowed, type Place } from "../places/tree";
import { clockAt, dayAt, dayWords, instantOf, short, wallOf } from "../schedules/clock";
import { SchedulePages } from "../schedules/SchedulePages";
import { useMay } from "../session/session";
import { Asked } from "../ui/Asked";
import { Link } from "../ui/Link";
import { Page, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import style from "./Forecast.module.css";
import { Moment } from "./Moment";
import { causeOf, reasonOf, rivalsOf, type Stretch, stretches, timeOf } from "./words";

const LENGTHS = [
  { value: "1", label: "One hour" },
  { value: "3", label: "Three hours" },
  { value: "12", label: "Twelve hours" },
  { value: "24", label: "A whole day" },
];
const NOWHERE: readonly Place[] = [];
const WIDER = ["location", "floor"] as const;
const HOUR = 3_600_000;
/** Others change schedules meanwhile, and now moves on by itself. */
const ASK_EVERY = 30_000;

/** `/schedules/forecast/ZONE` opens that one. */
export function ForecastPage({ zone: named }: { zone: string }) {
  const views = useLiveState((state) => state.zones);
  const zones = [...(views?.values() ?? [])].toSorted((a, b) => a.name.localeCompare(b.name));
  const [chosen, setChosen] = useState(named);
  const places = usePlaces().data ?? NOWHERE;
  const [place, setPlace] = useState<Narrowed>(null);
  const here = place ? zones.filter(({ zone_id }) => ancestry(zone_id, places).includes(place.id)) : zones;
  const zone = here.find(({ zone_id }) => zone_id === chosen)?.zone_id ?? here[0]?.zone_id ?? "";
  return (
    <Page title="What will sound">
      <SchedulePages />
      {views === null ? (
        <div role="status" aria-label="Loading the zones">
          <Skeleton height={160} />
        </div>
      ) : zone ? (
        <Zone
          key={zone}
          zone={zone}
          zones={here.map(({ zone_id, name }) => ({ value: zone_id, label: name }))}
          onZone={setChosen}
          where={
            grouped(places, WIDER).flatMap(({ items }) => items).length > 1 && (
              <PlaceSelect
                label="Where"
                any="Everywhere"
                places={places}
                kinds={WIDER}
                value={place}
                onChange={setPlace}
              />
            )
          }
        />
      ) : (
        <Section title="No zone">
          <p className={css.lead}>
            {place ? "There is no zone there that you may see." : "There is no zone that you may see."}
          </p>
          {place && (
            <div className={css.buttons}>
              <Button variant="default" onClick={() => setPlace(null)}>
                Everywhere
              </Button>
            </div>
          )}
        </Section>
      )}
    </Page>
  );
}

interface ZoneProps {
  zone: string;
  zones: { value: string; label: string }[];
  onZone: (zone: string) => void;
  /** The field that narrows them, where there is anything to narrow. */
  where: ReactNode;
}

/** The venue's clock comes with what sounds now. */
function useForecast(zone: string, at: string, hours: string) {
  const now = useQuery({
    queryKey: ["forecast", zone, "now", hours],
    refetchInterval: ASK_EVERY,
    queryFn: () => ask(zone, new Date(), hours),
  });
  const clock = now.data?.timezone ?? "";
  const then = useQuery({
    queryKey: ["forecast", zone, at, hours],
    enabled: at !== "" && clock !== "",
    refetchInterval: ASK_EVERY,
    queryFn: () => ask(zone, instantOf(at.slice(0, 10), at.slice(11), clock), hours),
  });
  return { clock, asked: at && clock ? then : at ? { ...now, data: undefined } : now };
}

async function ask(zone: string, from: Date, hours: string): Promise<Forecast> {
  const to = new Date(from.getTime() + Number(hours) * HOUR);
  const query = { from: from.toISOString(), to: to.toISOString() };
  const params = { path: { zone_id: zone }, query };
  return body(await api.GET("/api/v1/zones/{zone_id}/forecast/", { params }));
}

function Zone({ zone, zones, onZone, where }: ZoneProps) {
  const [at, setAt] = useState("");
  const [hours, setHours] = useState("1");
  const { clock, asked } = useForecast(zone, at, hours);
  const later = () => {
    const from = at ? instantOf(at.slice(0, 10), at.slice(11), clock) : new Date();
    const next = new Date(from.getTime() + Number(hours) * HOUR);
    setAt(`${dayAt(next, clock)}T${clockAt(next.toISOString(), clock).slice(0, 5)}`);
  };
  return (
    <>
      <Section
        title="By the venue’s clock"
        lead={clock && `That of ${clock.replaceAll("_", " ")}. Up to two weeks ahead; what people do by hand until then is not known yet.`}
      >
        <div className={style.asked}>
          {where}
          <NativeSelect
            label="Zone"
            data={zones}
            value={zone}
            onChange={(event) => onZone(event.currentTarget.value)}
          />
          <TextInput
            label="From"
            type="datetime-local"
            value={at}
            onChange={(event) => setAt(event.currentTarget.value)}
          />
          <NativeSelect
            label="For"
            data={LENGTHS}
            value={hours}
            onChange={(event) => setHours(event.currentTarget.value)}
          />
          <div className={css.buttons}>
            <Button variant="default" disabled={at === ""} onClick={() => setAt("")}>
              Now
            </Button>
            <Button variant="default" disabled={clock === ""} onClick={later}>
              Later
            </Button>
          </div>
        </div>
        <Asked of={asked} name="What will sound" refusal="It cannot be worked out." height={240}>
          {(forecast) => <Told forecast={forecast} onOn={later} />}
        </Asked>
      </Section>
      {clock && <Moment zone={zone} clock={clock} />}
    </>
  );
}

function Told({ forecast, onOn }: { forecast: Forecast; onOn: () => void }) {
  const { pieces, unheard } = forecast;
  const [first] = pieces;
  const last = pieces.at(-1);
  if (!first || !last) {
    return (
      <p role="status">
        Silence: nothing is planned in this zone then, and it has no music of its own.
      </p>
    );
  }
  const [from, to] = [wallOf(first.starts_at), wallOf(last.ends_at)];
  return (
    <>
      <p role="status" className={style.span}>
        {dayWords(from[0])}, {short(from[1])} to {to[0] === from[0] ? "" : `${dayWords(to[0])}, `}
        {short(to[1])}
      </p>
      {stretches(pieces).map((one) => (
        <Part key={one.key} stretch={one} />
      ))}
      {unheard.length > 0 && (
        <>
          <h3 className={css.name}>Planned, but not heard</h3>
          <ul className={css.list} aria-label="Planned, but not heard">
            {unheard.map(({ item, at, starts_at, name, reason }) => (
              <li key={`${item} ${at}`} className={style.piece}>
                <span className={style.at}>{timeOf(starts_at)}</span>
                <span className={style.what}>
                  <strong>{name}</strong>
                  <span className={css.detail}>{reasonOf(reason)}</span>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      <div className={css.buttons}>
        <Button variant="default" onClick={onOn}>
          What comes after it
        </Button>
      </div>
    </>
  );
}

/** A schedule's name leads to it, for whoever may see schedules. */
function Cause({ why }: Pick<Stretch, "why">) {
  const mayRead = useMay("schedules.read");
  const name = causeOf(why);
  if (why?.source !== "schedule" || !why.schedule_id || !mayRead) return <>{name}</>;
  return (
    <Link className={css.link} href={`/schedules/${why.schedule_id}`}>
      {name}
    </Link>
  );
}

function Part({ stretch }: { stretch: Stretch }) {
  const { why, starts, ends, pieces } = stretch;
  const name = causeOf(why);
  const rivals = rivalsOf(why);
  return (
    <div className={style.part}>
      <h3 className={style.head}>
        <span>{name ? <Cause why={why} /> : "Announcements"}</span>
        <span className={style.times}>
          {short(timeOf(starts))} to {short(timeOf(ends))}
        </span>
      </h3>
      {rivals && <p className={css.detail}>{rivals}</p>}
      <ol className={css.list} aria-label={name || "Announcements"}>
        {pieces.map((piece) => (
          <li
            key={`${piece.item} ${piece.start}`}
            className={style.piece}
            data-role={piece.role}
          >
            <Sounding piece={piece} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Sounding({ piece }: { piece: Piece }) {
  const { role, title, artist, offset, starts_at, why } = piece;
  const rivals = role === "music" ? "" : rivalsOf(why ?? null);
  return (
    <>
      <span className={style.at}>{timeOf(starts_at)}</span>
      <span className={style.what}>
        <strong>{title}</strong>
        {role === "music" ? (
          <span className={css.detail}>{[artist, offset > 0 && "goes on"].filter(Boolean).join(" · ")}</span>
        ) : (
          <span className={css.detail}>
            {role === "emergency" ? "Emergency" : <Cause why={why ?? null} />}
            {rivals && ` · ${rivals}`}
          </span>
        )}
      </span>
    </>
  );
}
