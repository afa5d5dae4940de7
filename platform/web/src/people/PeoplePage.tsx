/** Who belongs to this client, as what and where, and who is invited. */

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Invitation, Member, Role } from "../api/types";
import { day } from "../format";
import { usePlaces } from "../places/places";
import { type Place, placeName, placeOf } from "../places/tree";
import { useMay, useSession } from "../session/session";
import { Confirm } from "../ui/Dialog";
import { tellDone, tellProblem } from "../ui/notify";
import { Listed, Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { InviteDialog } from "./InviteDialog";
import { RolesDialog } from "./RolesDialog";

const NO_ROLES: readonly Role[] = [];
const NO_PLACES: readonly Place[] = [];

/** The roles that a member may have, and what each may do. */
function useRoles(): readonly Role[] {
  const roles = useQuery({
    queryKey: ["roles"],
    queryFn: async () => body(await api.GET("/api/v1/roles/")).results,
  });
  return roles.data ?? NO_ROLES;
}

/** Members and open invitations. */
export function PeoplePage() {
  const mayWrite = useMay("users.write");
  const roles = useRoles();
  const places = usePlaces().data ?? NO_PLACES;
  const [inviting, setInviting] = useState(false);
  const title = (role: string) => roles.find((one) => one.role === role)?.title ?? role;
  return (
    <Page
      title="People"
      action={mayWrite && <Button onClick={() => setInviting(true)}>Invite somebody</Button>}
    >
      <Members roles={roles} places={places} title={title} mayWrite={mayWrite} />
      <Invitations places={places} title={title} mayWrite={mayWrite} />
      {inviting && (
        <InviteDialog roles={roles} places={places} onClose={() => setInviting(false)} />
      )}
    </Page>
  );
}

interface Shared {
  places: readonly Place[];
  title: (role: string) => string;
  mayWrite: boolean;
}

function Members({ roles, places, title, mayWrite }: Shared & { roles: readonly Role[] }) {
  const me = useSession()?.user.id;
  const [changing, setChanging] = useState<Member | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
  const list = useList(["users"], async (query) =>
    body(await api.GET("/api/v1/users/", { params: { query } })),
  );
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: ["users"] });
  const let_ = useMutation({
    mutationFn: async ({ id, is_active }: { id: string; is_active: boolean }) => {
      const path = { user_id: id };
      await api.PATCH("/api/v1/users/{user_id}/", { params: { path }, body: { is_active } });
    },
    onSuccess: refresh,
    onError: (error) => tellProblem("Nothing was changed", error),
  });
  const remove = useMutation({
    mutationFn: async ({ id }: Member) => {
      await api.DELETE("/api/v1/users/{user_id}/", { params: { path: { user_id: id } } });
    },
    onSuccess: (_, { name }) => {
      setRemoving(null);
      refresh();
      tellDone("Removed", `${name} has no access here any more.`);
    },
  });
  const held = (member: Member) =>
    member.roles
      .map((role) => `${title(role.role)}, ${placeName(placeOf(role), places)}`)
      .join(" · ") || "No role";
  return (
    <Section title="Members">
      <Listed
        list={list}
        name="Members"
        empty="Nobody is here."
        keyOf={({ id }) => id}
        row={(member) => (
          <Row
            title={
              <>
                {member.name}
                {member.id === me && <span className={css.tag}>you</span>}
                {!member.is_active && <span className={css.tag}>kept out</span>}
              </>
            }
            detail={
              <>
                {member.email}
                <br />
                {held(member)}
              </>
            }
          >
            {mayWrite && member.id !== me && (
              <>
                <Button
                  variant="default"
                  aria-label={`Change the roles of ${member.name}`}
                  onClick={() => setChanging(member)}
                >
                  Roles
                </Button>
                <Button
                  variant="default"
                  loading={let_.isPending && let_.variables.id === member.id}
                  aria-label={`${member.is_active ? "Keep out" : "Let in"} ${member.name}`}
                  onClick={() => let_.mutate({ id: member.id, is_active: !member.is_active })}
                >
                  {member.is_active ? "Keep out" : "Let in"}
                </Button>
                <Button
                  variant="light"
                  color="red"
                  aria-label={`Remove ${member.name}`}
                  onClick={() => {
                    remove.reset();
                    setRemoving(member);
                  }}
                >
                  Remove
                </Button>
              </>
            )}
          </Row>
        )}
      />
      {changing && (
        <RolesDialog
          member={changing}
          roles={roles}
          places={places}
          onClose={() => setChanging(null)}
        />
      )}
      <Confirm
        title={`Remove ${removing?.name ?? ""}?`}
        verb="Remove"
        opened={removing !== null}
        pending={remove.isPending}
        error={remove.error}
        onClose={() => setRemoving(null)}
        onConfirm={() => removing && remove.mutate(removing)}
      >
        Whoever is removed loses access to this client at once. A new invitation brings it back.
      </Confirm>
    </Section>
  );
}

function Invitations({ places, title, mayWrite }: Shared) {
  const list = useList(["invitations"], async (query) =>
    body(await api.GET("/api/v1/invitations/", { params: { query } })),
  );
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: async ({ id }: Invitation) => {
      const path = { invitation_id: id };
      await api.DELETE("/api/v1/invitations/{invitation_id}/", { params: { path } });
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["invitations"] }),
    onError: (error) => tellProblem("The invitation still stands", error),
  });
  return (
    <Section title="Open invitations">
      <Listed
        list={list}
        name="Open invitations"
        empty="Nobody is invited at the moment."
        keyOf={({ id }) => id}
        row={(invitation) => (
          <Row
            title={invitation.email}
            detail={`${title(invitation.role)}, ${placeName(placeOf(invitation), places)} · until ${day(invitation.expires_at)}`}
          >
            {mayWrite && (
              <Button
                variant="default"
                loading={revoke.isPending && revoke.variables.id === invitation.id}
                aria-label={`Revoke the invitation of ${invitation.email}`}
                onClick={() => revoke.mutate(invitation)}
              >
                Revoke
              </Button>
            )}
          </Row>
        )}
      />
    </Section>
  );
}
