import { dirname, join } from 'node:path';
import ts from 'typescript';

/**
 * Finds what outlives the process and has no name of DURABLE_STEPS, by the sources alone. A write stands inside
 * `transact(`, `durably(` or a function that passes a `:before` and an `:after`; or it works on somebody's transaction;
 * or it is the business of its callers: a query of db/ and a private function hand it on to whoever calls them.
 */
export function findUnnamedWrites(
  sources: ReadonlyMap<string, string>,
  options: { except?: readonly string[] } = {},
): string[] {
  const units = [...sources]
    .flatMap(([file, text]) => readUnits(file, text))
    .filter(({ id }) => options.except?.includes(id) !== true);
  const handedOn = new Set<string>();
  const unnamed = new Map<string, string>();
  for (let size = -1; size !== handedOn.size;) {
    size = handedOn.size;
    for (const unit of units) {
      const site = handedOn.has(unit.id) || unnamed.has(unit.id) ? undefined : findSite(unit, handedOn);
      if (site === undefined) continue;
      if (handsOn(unit)) handedOn.add(unit.id);
      else unnamed.set(unit.id, `${unit.id}: ${site}`);
    }
  }
  return [...unnamed.values()];
}

/** Every name that is given to a write, as it stands in the sources: `action.request`, or `journal.` before a `${…}`. */
export function listNamesInUse(sources: ReadonlyMap<string, string>): string[] {
  const names: string[] = [];
  for (const [file, text] of sources) {
    visit(parse(file, text), (node) => {
      if (ts.isStringLiteralLike(node)) names.push(node.text.replace(/:(before|after)$/, ''));
      if (ts.isTemplateExpression(node)) names.push(node.head.text);
    });
  }
  return names;
}

/** What stands at the top of a file under one name. */
interface Unit {
  /** `file#name` */
  id: string;
  file: string;
  isExported: boolean;
  node: ts.Node;
  /** What a name in this file stands for: a unit of this file or of another, or a whole file for `* as name`. */
  names: ReadonlyMap<string, string>;
}

const QUERIES = ['insertInto', 'updateTable', 'deleteFrom', 'mergeInto', 'replaceInto', 'transaction'];
const OF_THE_ORM = ['persist', 'flush', 'nativeInsert', 'nativeUpdate', 'nativeDelete', 'upsert', 'upsertMany'];
const OF_THE_MIGRATOR = ['migrator.up', 'migrator.down'];
const OF_TEMPORAL = ['workflow.start', 'executeUpdate', 'startUpdate', 'handle.signal', 'handle.cancel', 'terminate'];
const OF_A_DISK = ['sync', 'datasync', 'rename', 'appendFile'];
const SQL_WRITE = /\b(insert\s+into|update\s+\w+\s+set|delete\s+from)\b/i;
const NAMING = ['transact', 'durably', 'keep'];

/** Undefined where all that lasts in this unit has its name. */
function findSite(unit: Unit, handedOn: ReadonlySet<string>): string | undefined {
  let found: string | undefined;
  visit(unit.node, (node) => {
    if (found !== undefined || !isWrite(unit, node, handedOn)) return;
    if (!isNamed(node) && !isInTransaction(node)) found = node.getText().split('\n')[0]?.slice(0, 100) ?? '';
  });
  return found;
}

function isWrite(unit: Unit, node: ts.Node, handedOn: ReadonlySet<string>): boolean {
  if (ts.isTaggedTemplateExpression(node)) {
    return /^sql\b/.test(node.tag.getText()) && SQL_WRITE.test(node.template.getText());
  }
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression.getText();
  const name = callee.split('.').at(-1) ?? '';
  if (ts.isPropertyAccessExpression(node.expression)) {
    if ([...QUERIES, ...OF_THE_ORM].includes(node.expression.name.text)) return true;
    if ([...OF_THE_MIGRATOR, ...OF_TEMPORAL].some((end) => callee.endsWith(end))) return true;
  }
  if (OF_A_DISK.includes(name)) return true;
  const target = resolveCall(unit, node.expression);
  return target !== undefined && handedOn.has(target);
}

/** `f(…)` and `file.f(…)` of a unit we know. */
function resolveCall(unit: Unit, callee: ts.Expression): string | undefined {
  if (ts.isIdentifier(callee)) return unit.names.get(callee.text);
  if (!ts.isPropertyAccessExpression(callee) || !ts.isIdentifier(callee.expression)) return undefined;
  const file = unit.names.get(callee.expression.text);
  return file?.endsWith('#*') === true ? file.replace('*', callee.name.text) : undefined;
}

/** Inside an argument of what names it, or of a function around it that passes both crash points itself. */
function isNamed(node: ts.Node): boolean {
  for (let at = node; !ts.isSourceFile(at); at = at.parent) {
    const { parent } = at;
    if (ts.isCallExpression(parent) && parent.expression !== at && NAMING.includes(parent.expression.getText())) {
      return true;
    }
    if (ts.isFunctionLike(at) && passesBoth(at)) return true;
  }
  return false;
}

function passesBoth(around: ts.Node): boolean {
  const ends = new Set<string>();
  visit(around, (node) => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== 'passCrashPoint') return;
    const end = /:(before|after)[`'"]$/.exec(node.arguments[0]?.getText() ?? '')?.[1];
    if (end !== undefined) ends.add(end);
  });
  return ends.size === 2;
}

/** What is written through is a Tx or a Transaction: of a parameter that says so, or of the callback of one. */
function isInTransaction(node: ts.Node): boolean {
  return listRoots(node).some((root) => isTransaction(root, node));
}

/** The names that a write works through: `tx` of `tx.kysely.insertInto(…)`, of `f(tx, …)` and of `f({ kysely: tx })`. */
function listRoots(node: ts.Node): string[] {
  if (ts.isTaggedTemplateExpression(node)) {
    const executes = ts.isPropertyAccessExpression(node.parent) ? node.parent.parent : undefined;
    const target = executes !== undefined && ts.isCallExpression(executes) ? executes.arguments[0] : undefined;
    return target === undefined ? [] : identifiersOf(target);
  }
  if (!ts.isCallExpression(node)) return [];
  if (ts.isPropertyAccessExpression(node.expression) && QUERIES.includes(node.expression.name.text)) {
    return identifiersOf(node.expression.expression).slice(0, 1);
  }
  const [first] = node.arguments;
  return first === undefined ? [] : identifiersOf(first);
}

function identifiersOf(node: ts.Node): string[] {
  const found: string[] = [];
  visit(node, (inner) => {
    if (ts.isIdentifier(inner)) found.push(inner.text);
  });
  return found;
}

function isTransaction(name: string, from: ts.Node): boolean {
  for (let at = from; !ts.isSourceFile(at); at = at.parent) {
    if (!ts.isFunctionLike(at)) continue;
    const parameter = at.parameters.find((one) => one.name.getText() === name);
    if (parameter?.type !== undefined) return /^(Tx|Transaction<.*>|Pick<Tx,.*>)$/.test(parameter.type.getText());
    if (parameter !== undefined) return isCallbackOfTransaction(at);
  }
  return false;
}

function isCallbackOfTransaction(callback: ts.Node): boolean {
  const call = callback.parent;
  if (!ts.isCallExpression(call)) return false;
  const callee = call.expression.getText();
  if (callee === 'transact' || /\.transaction\(\)[\s\S]*\.execute$/.test(callee)) return true;
  const index = call.arguments.findIndex((argument) => argument === callback);
  const declared = callback
    .getSourceFile()
    .statements.find((one) => ts.isFunctionDeclaration(one) && one.name?.text === callee);
  const parameter =
    declared !== undefined && ts.isFunctionDeclaration(declared) ? declared.parameters[index] : undefined;
  return /^\(\w+: (Tx|Transaction<.*>)[,)]/.test(parameter?.type?.getText() ?? '');
}

/** Its callers give the name: they are looked at in their turn. */
function handsOn({ file, isExported }: Unit): boolean {
  return !isExported || file.startsWith('db/') || file === 'agent/durable-file.ts';
}

function readUnits(file: string, text: string): Unit[] {
  const source = parse(file, text);
  const names = new Map<string, string>();
  const units: Unit[] = [];
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) readNames(file, statement, names);
    else units.push(...readUnit(file, statement, names));
  }
  for (const { id } of units) names.set(id.split('#')[1] ?? '', id);
  return units;
}

function readUnit(file: string, statement: ts.Statement, names: ReadonlyMap<string, string>): Unit[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  const isExported = modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((node) => {
      return { id: `${file}#${node.name.getText()}`, file, isExported, node, names };
    });
  }
  const isDeclaration = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement);
  const name = isDeclaration ? statement.name?.text : undefined;
  // What runs when the file is loaded has no caller who could give a name.
  return [
    { id: `${file}#${name ?? 'itself'}`, file, isExported: isExported || !isDeclaration, node: statement, names },
  ];
}

function readNames(file: string, statement: ts.ImportDeclaration, names: Map<string, string>): void {
  const target = (statement.moduleSpecifier as ts.StringLiteral).text;
  if (!target.startsWith('.')) return;
  const path = join(dirname(file), target);
  const bindings = statement.importClause?.namedBindings;
  if (bindings === undefined) return;
  if (ts.isNamespaceImport(bindings)) names.set(bindings.name.text, `${path}#*`);
  else for (const one of bindings.elements) names.set(one.name.text, `${path}#${(one.propertyName ?? one.name).text}`);
}

function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => {
    visit(child, look);
  });
}
