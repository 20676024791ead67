/** The same port with some of its methods replaced; the others are called on the port itself. */
export function replaced<T extends object>(port: T, replacements: Partial<T>): T {
  const whole: Record<string, unknown> = {};
  for (let type: object | null = port; type !== null && type !== Object.prototype; type = Object.getPrototypeOf(type)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (name === 'constructor' || name in whole) continue;
      const method: unknown = property.value;
      if (typeof method === 'function') whole[name] = method.bind(port);
      else
        Object.defineProperty(whole, name, {
          get: () => Reflect.get(port, name),
          enumerable: true,
          configurable: true,
        });
    }
  }
  return Object.assign(whole, replacements) as T;
}
