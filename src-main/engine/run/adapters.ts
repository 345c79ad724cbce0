/** What the system says about its graphics adapters; ONNX Runtime under Node does not tell. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Adapter {
  name: string;
  /** Its maker where that is known, else empty. */
  vendor: string;
  /** Memory of its own in bytes; null where it is shared or unknown. */
  memory: number | null;
  /** A program that draws on the CPU: correct, slow, never chosen by itself. */
  software: boolean;
}

const execute = promisify(execFile);
const rasterizers: [RegExp, string][] = [
  [/swiftshader/i, 'SwiftShader'],
  [/lvp|llvmpipe|lavapipe/i, 'llvmpipe'],
];

/** The adapters that the WebGPU provider may find, the likeliest first. Empty where there is none. */
export async function listAdapters(): Promise<Adapter[]> {
  const driver = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES ?? '';
  const forced = rasterizers.find(([pattern]) => pattern.test(driver));
  if (forced) return [{ name: `${forced[1]} (software)`, vendor: '', memory: null, software: true }];
  if (process.platform === 'linux') return [...(await nvidiaAdapters()), ...drmAdapters()];
  if (process.platform === 'darwin') return macAdapters();
  if (process.platform === 'win32') return windowsAdapters();
  return [];
}

async function output(command: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(command, args, { timeout: 10_000, windowsHide: true })).stdout;
  } catch {
    // The tool is missing or refuses: this source of adapters has nothing to say.
    return '';
  }
}

async function nvidiaAdapters(): Promise<Adapter[]> {
  const lines = await output('nvidia-smi', '--query-gpu=name,memory.total', '--format=csv,noheader,nounits');
  return lines
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 2)
    .map(([name, mebibytes]) => ({
      name,
      vendor: 'NVIDIA',
      memory: Number(mebibytes) * 2 ** 20 || null,
      software: false,
    }));
}

const vendors: Record<string, string> = { '0x1002': 'AMD', '0x8086': 'Intel' };

/** AMD and Intel adapters as Linux's display drivers list them. */
function drmAdapters(): Adapter[] {
  const root = '/sys/class/drm';
  if (!existsSync(root)) return [];
  const read = (...path: string[]) => {
    const file = join(root, ...path);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  };
  return readdirSync(root)
    .filter((entry) => /^card\d+$/.test(entry))
    .flatMap((card) => {
      const vendor = vendors[read(card, 'device', 'vendor')];
      if (!vendor) return [];
      const name = read(card, 'device', 'product_name') || `${vendor} ${read(card, 'device', 'device')}`;
      const memory = Number(read(card, 'device', 'mem_info_vram_total')) || null;
      return [{ name, vendor, memory, software: false }];
    });
}

async function macAdapters(): Promise<Adapter[]> {
  const text = await output('system_profiler', 'SPDisplaysDataType', '-json');
  if (!text) return [];
  const { SPDisplaysDataType: displays = [] } = JSON.parse(text) as {
    SPDisplaysDataType?: { sppci_model?: string }[];
  };
  return displays.map(({ sppci_model }) => ({
    name: sppci_model ?? 'Apple GPU',
    vendor: '',
    memory: null,
    software: false,
  }));
}

async function windowsAdapters(): Promise<Adapter[]> {
  const query = 'Get-CimInstance Win32_VideoController | ForEach-Object { $_.Name }';
  const lines = await output('powershell.exe', '-NoProfile', '-Command', query);
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((name) => ({ name, vendor: '', memory: null, software: /basic render|basic display/i.test(name) }));
}
