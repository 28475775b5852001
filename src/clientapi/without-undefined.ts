// Optional keys of request bodies → optional keys of component calls.

type KeysWithUndefined<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

export type WithoutUndefined<T> = Omit<T, KeysWithUndefined<T> & keyof T> & {
  [K in KeysWithUndefined<T>]?: Exclude<T[K], undefined>;
};

/** A copy without the keys whose value is undefined: `{ key: undefined }` is not `{}` to a receiver, nor on the wire. */
export function withoutUndefined<T extends object>(object: T): WithoutUndefined<T> {
  const present = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as WithoutUndefined<T>;
}
