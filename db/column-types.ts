import type { ColumnType } from 'kysely';

/* What is read, what is inserted, what is set; tables.ts says how. */

export type Json<T> = ColumnType<T, string, string>;
export type JsonOrNull<T> = ColumnType<T | null, string | null | undefined, string | null>;
export type JsonWithDefault<T> = ColumnType<T, string | undefined, string>;
export type Time = ColumnType<Date, Date | string, Date | string>;
export type TimeOrNull = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
export type TimeWithDefault = ColumnType<Date, Date | string | undefined, Date | string>;
