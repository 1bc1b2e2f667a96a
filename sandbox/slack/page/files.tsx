/// <reference lib="dom" />
import type { ReactNode } from 'react';
import type { StoredMessage } from '../model.ts';

/** Files that came with a message: their first lines, and the whole to save. */
export function Files(props: {
  files: NonNullable<StoredMessage['files']>;
  previews: Record<string, string>;
}): ReactNode {
  return props.files.map((file) => (
    <figure key={file.id} className="file" data-testid={`file-${file.id}`}>
      <figcaption>
        <strong>{file.title}</strong>
        <small>{sizeOf(file.size)}</small>
        <a href={`/files/${file.id}`} download={file.name}>
          Save
        </a>
      </figcaption>
      <pre>{props.previews[file.id]}</pre>
    </figure>
  ));
}

function sizeOf(bytes: number): string {
  return bytes < 1024 ? `${String(bytes)} bytes` : `${(bytes / 1024).toFixed(1)} kB`;
}
