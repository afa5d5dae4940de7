/** Files that were left half-way, by this window before it was loaded anew or by another one. */

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { Sent } from "../api/types";
import { tellProblem } from "../ui/notify";
import { Row, Section } from "../ui/Page";
import page from "../ui/Page.module.css";
import { bytes, percent } from "./rules";
import type { Endpoint } from "./sending";

/** Nothing at all if there are none. */
export function Unfinished({ of }: { of: Endpoint }) {
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["uploads", "unfinished", of],
    staleTime: 0,
    queryFn: async () => {
      const query = { page_size: 50, state: "receiving" as const };
      return body(await api.GET(of, { params: { query } })).results;
    },
  });
  const drop = useMutation({
    mutationFn: async ({ id }: Sent) => {
      await api.DELETE(`${of}{upload_id}/`, { params: { path: { upload_id: id } } });
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["uploads", "unfinished", of] }),
    onError: (error) => tellProblem("It was not given up", error),
  });
  if (!found.data?.length) return null;
  return (
    <Section
      title="Left half-way"
      lead="Choose the same files again, in the same folder: each goes on where it was."
    >
      <ul className={page.list} aria-label="Left half-way">
        {found.data.map((one) => (
          <li key={one.id} className={page.row}>
            <Row
              title={one.filename}
              detail={`${percent(one.offset, one.size)} % of ${bytes(one.size)} arrived`}
            >
              <Button
                variant="default"
                aria-label={`Give up ${one.filename}`}
                loading={drop.isPending && drop.variables.id === one.id}
                onClick={() => drop.mutate(one)}
              >
                Give up
              </Button>
            </Row>
          </li>
        ))}
      </ul>
    </Section>
  );
}
