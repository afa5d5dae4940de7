/** What a member may do, and where. */

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, tagOf } from "../api/client";
import type { Member, Role } from "../api/types";
import { type Place, placeOf, toBody } from "../places/tree";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import css from "../ui/Page.module.css";
import { type Assignment, RoleFields } from "./RoleFields";

interface Props {
  member: Member;
  roles: readonly Role[];
  places: readonly Place[];
  onClose: () => void;
}

const FIRST: Assignment = { role: "client_user", place: "" };

/** All assignments are replaced together; they hold from the next request on. */
export function RolesDialog({ member, roles, places, onClose }: Props) {
  const [assignments, setAssignments] = useState<readonly Assignment[]>(() =>
    member.roles.map((one) => ({ role: one.role, place: placeOf(one) })),
  );
  const queries = useQueryClient();
  // Two managers at once: whoever saves second is told, and looks again.
  const version = useQuery({
    queryKey: ["users", "version", member.id],
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const params = { path: { user_id: member.id } };
      return tagOf(await api.GET("/api/v1/users/{user_id}/", { params }));
    },
  });
  const save = useMutation({
    mutationFn: async () => {
      await api.PATCH("/api/v1/users/{user_id}/", {
        params: {
          path: { user_id: member.id },
          header: { "If-Match": version.data ?? null },
        },
        body: { roles: assignments.map(({ role, place }) => ({ role, ...toBody(place, places) })) },
      });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["users"] });
      onClose();
    },
  });
  return (
    <Dialog title={`Roles of ${member.name}`} opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Failure title="Nothing was changed" error={save.error} />
        {assignments.length === 0 && <p className={css.lead}>No role: may do nothing here.</p>}
        {assignments.map((assignment, index) => (
          <div key={index} className={css.list}>
            <RoleFields
              roles={roles}
              places={places}
              value={assignment}
              number={index + 1}
              onChange={(value) => setAssignments(assignments.with(index, value))}
            />
            <Button
              variant="subtle"
              color="gray"
              aria-label={`Take away role ${index + 1}`}
              onClick={() => setAssignments(assignments.toSpliced(index, 1))}
            >
              Take away
            </Button>
          </div>
        ))}
        <Button variant="default" onClick={() => setAssignments([...assignments, FIRST])}>
          Add a role
        </Button>
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending || version.isLoading}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
