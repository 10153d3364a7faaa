import { useEffect, useState } from "preact/hooks";

/** Which view is looked at, by the address's fragment: `#contracts`. Another address leads back to the live one. */
export function useView(): string {
  const [view, setView] = useState(location.hash.slice(1));
  useEffect(() => {
    const look = (): void => setView(location.hash.slice(1));
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return view;
}
