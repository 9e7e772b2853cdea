import { useEffect, useState } from 'react';

/**
 * A value once it has stood still, for what is too dear to follow every change.
 *
 * @param milliseconds how long it has to stand still. Give the same object again when nothing changed.
 */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
