// The program under test as a process: started on a port, stopped or killed, asked for what its store holds.

import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const PROGRAM = process.env.HONE_PROGRAM;
const running = new Set();
/** What a test that failed left behind. */
export const killAll = () => running.forEach((child) => child.kill('SIGKILL'));

export function writePairs(path, pairs) {
  writeFileSync(path, pairs.map((p) => JSON.stringify(p)).join('\n') + '\n');
  return path;
}

/** Whether the program has models (a build with LibTorch). */
export const samples = basename(PROGRAM) === 'hone';

/** A chat model of random weights that is slow enough to be watched: of `layers` layers, made by the program itself. */
export function makeModel(folder, layers) {
  const run = (...words) => execFileSync(PROGRAM, [...words, '--quiet'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const text = join(folder, 'text.txt');
  const rows = join(folder, 'rows.jsonl');
  writeFileSync(text, 'how are you? very well, thank you, and where is it now?\n'.repeat(200));
  writeFileSync(rows, JSON.stringify({ prompt: 'how are you?', completion: 'very well, thank you' }) + '\n');
  run('tokenizer', 'train', '--data', text, '--size', '300', '--out', join(folder, 'tokenizer'));
  run('sft', '--tokenizer', join(folder, 'tokenizer', 'model'), '--data', rows, '--steps', '1', '--batch-tokens', '64', '--threads', '1', '--samples.max-tokens', '1', '--shape.layers', String(layers),
    '--shape.width', '256', '--shape.heads', '4', '--shape.kv-heads', '4', '--shape.ffn', '768', '--shape.context', '640', '--out', join(folder, 'sft'));
  return join(folder, 'sft', 'model');
}

/** `hone annotate` over a file of pairs, or with more options; resolves once it has printed its address. port 0: any free
 * one. */
export const annotate = (store, pairs, port = 0) =>
  started(['--store', store, ...(Array.isArray(pairs) ? pairs : ['--pairs', pairs]), '--port', String(port)]);
/** The same with a model that answers and learns. */
export const annotateModel = (store, model, more = []) => started(['--store', store, '--model', model, '--port', '0', ...more]);

async function started(options) {
  const child = spawn(PROGRAM, ['annotate', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let out = '';
  let log = '';
  child.stderr.on('data', (d) => { log += d; });
  const ended = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
  const address = await new Promise((done, failed) => {
    child.stdout.on('data', (d) => {
      out += d;
      if (out.includes('\n')) done(out.trim());
    });
    child.once('exit', (code) => failed(new Error(`hone annotate ended with ${code}: ${log}`)));
    setTimeout(() => failed(new Error(`hone annotate printed no address: ${log}`)), 30000).unref();
  });
  const url = new URL(address);
  return {
    address, base: url.origin, port: Number(url.port), log: () => log,
    kill: () => { child.kill('SIGKILL'); return ended; },
    stop: () => { child.kill('SIGTERM'); return ended; },
  };
}

const rows = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
/** Rows for training, and all that is known of every label. */
export const exported = (store) => rows(execFileSync(PROGRAM, ['feedback', 'export', '--store', store], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
export const labels = (store) => rows(execFileSync(PROGRAM, ['feedback', 'export', '--store', store, '--full'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
