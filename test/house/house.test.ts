/** One process for them all: each test file of its own costs a second of start. */
import './imports.cases.ts';
import './checkout.cases.ts';
import './dockerfile.cases.ts';
