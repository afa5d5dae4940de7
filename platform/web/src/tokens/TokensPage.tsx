/** API tokens: for programs of the client's own. */

import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { useList } from "../api/lists";
import type { Token } from "../api/types";
import { count, day } from "../format";
import { usePlaces } from "../places/places";
import { placeName, placeOf } from "../places/tree";
import { useMay } from "../session/session";
import { Listed, Page, Row, Section } from "../ui/Page";
import { Remove } from "../ui/Remove";
import { TokenDialog } from "./TokenDialog";

/** Lists, makes and revokes them. */
export function TokensPage() {
  const mayWrite = useMay("tokens.write");
  const places = usePlaces().data ?? [];
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const list = useList(["tokens"], async (query) =>
    body(await api.GET("/api/v1/tokens/", { params: { query } })),
  );
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: ["tokens"] });
  const detail = (token: Token) =>
    [
      count(token.permissions.length, "permission"),
      placeName(placeOf(token), places),
      token.expires_at ? `until ${day(token.expires_at)}` : "without an end",
      token.last_used_at ? `last used ${day(token.last_used_at)}` : "never used",
    ].join(" · ");
  return (
    <Page
      title="API tokens"
      action={mayWrite && <Button onClick={() => setMaking(true)}>New token</Button>}
    >
      <Section
        title="Tokens"
        lead="A program signs in with a token instead of a person’s password. Give each program its own."
      >
        <Listed
          list={list}
          name="Tokens"
          empty="There is no token yet."
          keyOf={({ id }) => id}
          row={(token) => (
            <Row title={token.name} detail={detail(token)}>
              {mayWrite && (
                <Button
                  variant="light"
                  color="red"
                  aria-label={`Revoke ${token.name}`}
                  onClick={() => setRevoking(token)}
                >
                  Revoke
                </Button>
              )}
            </Row>
          )}
        />
      </Section>
      {making && <TokenDialog places={places} onClose={() => setMaking(false)} />}
      {revoking && (
        <Remove
          title={`Revoke ${revoking.name}?`}
          verb="Revoke"
          remove={async () => {
            await api.DELETE("/api/v1/tokens/{token_id}/", { params: { path: { token_id: revoking.id } } });
          }}
          onClose={() => setRevoking(null)}
          onDone={() => {
            setRevoking(null);
            refresh();
          }}
        >
          The program that uses it is refused from then on. This cannot be taken back.
        </Remove>
      )}
    </Page>
  );
}
