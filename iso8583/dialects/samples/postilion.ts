import type { DialectSample } from '../sample.ts';

export const postilionSample: DialectSample = {
  dialect: 'postilion',
  about: [
    'ISO 8583:1987 as Postilion speaks it: ASCII, with binary bitmaps, and a field 127 with a length of six digits, a bitmap of',
    'its own and fields in it. The PIN block and field 53 are raw bytes; MACs are hex digits. Field 127.25 is text.',
  ],
  title: 'Administrative message of a cash machine',
  source: 'Captured: iso8583-fields §9 S2 (jPOS).',
  hex: [
    '30363230A238000000800000000000000000000230303030303031313137303033363136333735323034303033363136',
    '3131313741544D3030303032303030303332400000800000000031305357495443485F4B4559303030384943435F4441',
    '5441',
  ].join(''),
  mti: '0620',
  headers: {},
  fields: {
    3: '000000',
    7: '1117003616',
    11: '375204',
    12: '003616',
    13: '1117',
    41: 'ATM00002',
    127: '400000800000000031305357495443485F4B4559303030384943435F44415441',
  },
};
