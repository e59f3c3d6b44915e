"""Abbreviations whose full stop does not end a sentence, per language.

All are written in small letters and without their last full stop. Other languages have none: there a full stop always
ends a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping

# Always followed by what they introduce, so their full stop never ends a sentence.
BEFORE: Mapping[str, frozenset[str]] = {
    "en": frozenset("mr mrs ms messrs dr prof st mt gen sgt rev tel vs e.g i.e eg ie approx ca".split()),
    "pl": frozenset(
        "np m.in m in tzw tzn tj ul al pl os godz ks św mgr inż lek hab doc mec gen por wg wdł wdłg pt ps p.s dn "
        "im zob temp nt śp ob ewent dot dyr kier adm woj pow gm sp z.o dr prof tel nr st vs k".split()
    ),
    "zh": frozenset("mr mrs ms dr prof st tel e.g i.e".split()),
}

# May also end a sentence: it goes on where the next word starts with a small letter or a digit.
INSIDE: Mapping[str, frozenset[str]] = {
    "en": frozenset("etc min mins sec secs hr hrs dept ext acct inc ltd corp co a.m p.m u.s u.k u.s.a l.a d.c".split()),
    "pl": frozenset(
        "ok itp itd etc tys mln mld min sek zł zl gr szt kg tyg mies pok r w p b j cd br bm ub str poz rej wew kom a.m "
        "p.m jw cdn med stom ang niem pol o.o s.a wł dł szer wys art".split()
    ),
    "zh": frozenset("etc a.m p.m".split()),
}

# Ordinary words too ("no", the month of May): only a digit after the full stop makes them abbreviations.
BEFORE_DIGIT: Mapping[str, frozenset[str]] = {
    "en": frozenset("no nos pp fig art jan feb mar apr may jun jul aug sep sept oct nov dec".split()),
    "pl": frozenset("s str art par".split()),
    "zh": frozenset({"no"}),
}
