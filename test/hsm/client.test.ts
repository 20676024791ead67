/** One process for them all: each test file of its own costs a second of start. */
import './commands.cases.ts';
import './crypto.cases.ts';
