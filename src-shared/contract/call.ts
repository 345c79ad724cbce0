/** What the calls of the contract are put together from. */
import { z } from 'zod';

export const id = z.number().int().positive();

/** A path on the machine of the service: `meta` marks it, so that a host can keep it to some folders. */
export const folderPath = z.string().max(4096).meta({ path: true });

export const filePath = z.string().min(1).max(4096).meta({ path: true });

/** The same, or the name of a built-in list of classes. */
export const classFile = z.string().min(1).max(4096).meta({ path: 'or name' });

/** What a person calls something new. */
export const newName = z
  .string()
  .min(1)
  .refine((text) => text === text.trim(), 'a name is not blank and has no blank at its ends');
export const page = {
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(1000).default(200),
};

export const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({ input, output });

export const none = z.object({});

export const ok = z.object({ ok: z.literal(true) });
