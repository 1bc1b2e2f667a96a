/// <reference lib="dom" />
import type { ReactNode } from 'react';
import { isJson, listOf, textOf } from '../model.ts';
import type { Json } from '../model.ts';
import { ReadOnlyBlocks } from './text.tsx';

/** Slack's table: the first row is its head; what is wider than the message scrolls sideways. */
export function TableBlock({ block }: { block: Json }): ReactNode {
  const rows = Array.isArray(block['rows']) ? (block['rows'] as unknown[]).map(listOf) : [];
  const settings = Array.isArray(block['column_settings']) ? (block['column_settings'] as unknown[]) : [];
  const [head, ...body] = rows;
  const cells = (row: Json[], Tag: 'th' | 'td'): ReactNode =>
    row.map((cell, column) => {
      const setting = isJson(settings[column]) ? settings[column] : {};
      const align = textOf(setting['align']) || 'left';
      const className = setting['is_wrapped'] === true ? 'wrapped' : '';
      return (
        <Tag key={column} className={className} style={{ textAlign: align as 'left' }}>
          <Cell cell={cell} />
        </Tag>
      );
    });
  return (
    // A region that scrolls must be reachable by keyboard.
    <div className="table-frame" role="region" aria-label="Table" tabIndex={0}>
      <table>
        {head !== undefined && (
          <thead>
            <tr>{cells(head, 'th')}</tr>
          </thead>
        )}
        <tbody>
          {body.map((row, index) => (
            <tr key={index}>{cells(row, 'td')}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ cell }: { cell: Json }): ReactNode {
  if (cell['type'] === 'rich_text') return <ReadOnlyBlocks blocks={[cell]} />;
  return <>{cell['type'] === 'raw_number' ? String(cell['value']) : textOf(cell['text'])}</>;
}
