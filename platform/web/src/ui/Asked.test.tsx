import { MantineProvider } from "@mantine/core";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { offline, Problem } from "../api/problem";
import { Asked, type Asking, Refused, together } from "./Asked";

const usual = { data: undefined, error: null, isPending: false, refetch: () => null };

function shown(of: Partial<Asking<readonly string[]>>): string {
  return renderToStaticMarkup(
    <MantineProvider>
      <Asked of={{ ...usual, ...of }} name="Songs" refusal="The songs cannot be shown.">
        {(songs) => (songs.length === 0 ? <p>There is no song yet.</p> : <ul>{songs.join()}</ul>)}
      </Asked>
    </MantineProvider>,
  );
}

test("what is on its way says so", () => {
  const html = shown({ isPending: true });
  expect(html).toContain('role="status"');
  expect(html).toContain('aria-label="Loading: Songs"');
  expect(html).not.toContain("alert");
  expect(html).not.toContain("song");
});

test("what is there is shown, nothing too", () => {
  expect(shown({ data: ["Blue", "Red"] })).toContain("<ul>Blue,Red</ul>");
  const none = shown({ data: [] });
  expect(none).toContain("There is no song yet.");
  expect(none).not.toMatch(/role="(status|alert)"/);
});

test("what is refused says why, what to do, and can be asked for again", () => {
  const html = shown({ error: offline(), isPending: false });
  expect(html).toContain('role="alert"');
  expect(html).toContain("The songs cannot be shown. The server does not answer. Check this");
  expect(html).toContain("Try again");
  expect(html).not.toContain("status");
  expect(html).not.toContain("There is no song yet.");
});

test("what was there stays when it cannot be asked for anew", () => {
  const html = shown({ data: ["Blue"], error: new Problem(503, "unavailable", "The database is away.") });
  expect(html).toContain("The database is away.");
  expect(html).toContain("Blue");
});

test("the button asks again", () => {
  const again = vi.fn();
  const box = Refused({ error: offline(), again });
  const [, button] = (box as unknown as { props: { children: { props: { onClick: () => void } }[] } }).props.children;
  button?.props.onClick();
  expect(again).toHaveBeenCalledOnce();
  expect(Refused({ error: null, again })).toBeNull();
});

test("several questions are one, and only the refused ones are asked again", () => {
  const [fine, broken] = [vi.fn(), vi.fn()];
  const there = { ...usual, data: 1, refetch: fine };
  expect(together([there, there])).toMatchObject({ data: true, error: null, isPending: false });
  expect(together([there, { ...usual, isPending: true }])).toMatchObject({ data: undefined, isPending: true });
  const error = offline();
  const both = together([there, { ...usual, error, refetch: broken }]);
  expect(both).toMatchObject({ data: undefined, error, isPending: false });
  void both.refetch();
  expect(fine).not.toHaveBeenCalled();
  expect(broken).toHaveBeenCalledOnce();
});
