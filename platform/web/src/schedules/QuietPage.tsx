/** When it is quiet: hours of locations, and of zones that have their own. */

import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { everyPage } from "../api/lists";
import type { Location, Zone } from "../api/types";
import { useMay } from "../session/session";
import { Asked, together } from "../ui/Asked";
import { Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { quietWords } from "./quiet";
import { QuietDialog, type Quieted } from "./QuietDialog";
import { SchedulePages } from "./SchedulePages";

const NO_LOCATIONS: readonly Location[] = [];
const NO_ZONES: readonly Zone[] = [];
/** From so many on they are looked for by name. */
const MANY = 15;

function useHere() {
  const maySeeAll = useMay("locations.read");
  const locations = useQuery({
    queryKey: ["quiet", "locations"],
    enabled: maySeeAll,
    queryFn: () =>
      everyPage<Location>(async (query) => body(await api.GET("/api/v1/locations/", { params: { query } }))),
  });
  const zones = useQuery({
    queryKey: ["quiet", "zones"],
    queryFn: () => everyPage<Zone>(async (query) => body(await api.GET("/api/v1/zones/", { params: { query } }))),
  });
  return {
    locations: locations.data ?? NO_LOCATIONS,
    zones: zones.data ?? NO_ZONES,
    here: together(maySeeAll ? [locations, zones] : [zones]),
    again: () => void Promise.all([maySeeAll && locations.refetch(), zones.refetch()]),
  };
}

/** A zone without its own hours follows its location. */
export function QuietPage() {
  const { locations, zones, here, again } = useHere();
  const mayPlace = useMay("locations.write");
  const mayZone = useMay("zones.write");
  const [search, setSearch] = useState("");
  const [changing, setChanging] = useState<Quieted | null>(null);
  const wanted = search.trim().toLowerCase();
  const fits = (name: string) => name.toLowerCase().includes(wanted);
  const of = (id: string) => zones.filter((one) => one.location_id === id);
  const groups = [
    ...locations.map((place) => ({ place, inside: of(place.id) })),
    // whoever sees zones only is shown these
    { place: null, inside: zones.filter((one) => !locations.some(({ id }) => id === one.location_id)) },
  ]
    .map(({ place, inside }) => ({
      place,
      inside: place && fits(place.name) ? inside : inside.filter(({ name }) => fits(name)),
    }))
    .filter(({ place, inside }) => inside.length > 0 || (place && fits(place.name)));
  return (
    <Page title="Quiet hours">
      <SchedulePages />
      <Section
        title="When it is quiet"
        lead="In quiet hours nothing that is planned is announced; where music is left out too, there is silence. Emergencies, and what people say or play by hand, are heard all the same."
      >
        {locations.length + zones.length > MANY && (
          <TextInput
            label="Search"
            type="search"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        )}
        <Asked of={here} name="Quiet hours" refusal="Not everything can be shown." height={120}>
          {() =>
            groups.length === 0 && (
              <p className={css.lead}>{wanted ? "Nothing is called so." : "There is no place yet."}</p>
            )
          }
        </Asked>
        {groups.map(({ place, inside }) => (
          <ul key={place?.id ?? ""} className={css.list} aria-label={place?.name ?? "Zones"}>
            {place && (
              <li className={css.row}>
                <Row
                  title={
                    <>
                      {place.name}
                      <span className={css.tag}>Location</span>
                    </>
                  }
                  detail={quietWords(place.quiet_hours)}
                >
                  {mayPlace && (
                    <Change name={place.name} onPress={() => setChanging({ kind: "location", one: place })} />
                  )}
                </Row>
              </li>
            )}
            {inside.map((zone) => (
              <li key={zone.id} className={css.row} data-inner={place !== null || undefined}>
                <Row
                  title={zone.name}
                  detail={zone.quiet_hours ? quietWords(zone.quiet_hours) : "as its location"}
                >
                  {mayZone && <Change name={zone.name} onPress={() => setChanging({ kind: "zone", one: zone })} />}
                </Row>
              </li>
            ))}
          </ul>
        ))}
      </Section>
      {changing && (
        <QuietDialog
          of={changing}
          onClose={() => setChanging(null)}
          onDone={() => {
            again();
            setChanging(null);
          }}
        />
      )}
    </Page>
  );
}

function Change({ name, onPress }: { name: string; onPress: () => void }) {
  return (
    <Button variant="default" aria-label={`Change the quiet hours of ${name}`} onClick={onPress}>
      Change
    </Button>
  );
}
