/** The words that say nothing about what a text is about. */

import lists from "stopword";

/** Grammar words as the library `stopword` lists them, by our tag; the library names languages by ISO 639-3. */
const GRAMMAR: Readonly<Record<string, readonly string[]>> = {
  ...{ ar: lists.ara, bg: lists.bul, bn: lists.ben, ca: lists.cat, cs: lists.ces, da: lists.dan, de: lists.deu },
  ...{ el: lists.ell, en: lists.eng, es: lists.spa, et: lists.est, eu: lists.eus, fa: lists.fas, fi: lists.fin },
  ...{ fr: lists.fra, he: lists.heb, hi: lists.hin, hr: lists.hrv, hu: lists.hun, hy: lists.hye, it: lists.ita },
  ...{ ja: lists.jpn, ko: lists.kor, lt: lists.lit, lv: lists.lav, ms: lists.msa, nl: lists.nld, no: lists.nob },
  ...{ pl: lists.pol, pt: lists.por, ro: lists.ron, ru: lists.rus, sk: lists.slk, sl: lists.slv, sv: lists.swe },
  ...{ th: lists.tha, tr: lists.tur, uk: lists.ukr, ur: lists.urd, vi: lists.vie, zh: lists.zho },
};

/** What grammar lists leave out and every article has: reporting, counting, calendar and colourless words. */
const COLOURLESS: Readonly<Record<string, string>> = {
  en: `
    he she his hers him it its they them their theirs we us our you your who whom whose which what when where why how
    i'm i've i'd i'll it's he's she's that's there's they're we're we've you're don't doesn't didn't won't can't cannot
    couldn't wouldn't isn't aren't wasn't weren't hasn't haven't hadn't let's
    if or nor not no yes than then so too very just only even still yet again ever never always often once twice
    almost nearly about around quite rather perhaps maybe however although though despite whether while until unless
    since because during before after without within upon toward towards among against along across behind beside
    between beyond near off onto per via instead meanwhile therefore thus hence otherwise moreover
    here there now today yesterday tomorrow tonight soon later ago already
    said say says saying told tell tells asked ask asks added adds called call calls calling according reported
    described explained argued admitted agreed noted wrote writes written read reads
    one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty hundred hundreds
    thousand thousands million millions billion dozen half third quarter first second last next fourth fifth
    per cent percent number numbers figure figures
    year years month months week weeks day days hour hours minute minutes time times morning afternoon evening night
    nights weekend century decade decades moment period
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december spring summer autumn fall winter
    people person man men woman women child children somebody someone nobody everybody everyone anybody anyone others
    thing things something anything nothing everything way ways place places part parts lot bit kind sort side end rest
    fact point question case example reason answer result results idea word words name names
    new old young good bad best better worse worst big small little large larger largest great long longer short high
    higher low lower early late early own same different several few many much more most less least each every either
    neither both another any all some such other full whole able likely possible certain sure true real clear
    be been being is are was were am has have had having do does did done doing would could should might must shall will
    can may get gets got getting give gives gave given go goes going went gone come comes came take takes took taken
    taking make makes made making put puts keep keeps kept let lets see sees saw seen look looks looked find finds found
    know knows known knew think thinks thought want wants wanted need needs needed use uses used using work works
    worked try tries tried begin begins began begun start started become becomes became seem seems seemed
    mean means meant feel feels felt leave leaves left turn turned bring brought hold held stand stood show shows shown
    run runs ran set sits sat live lives lived open opened close closed pay pays paid cost costs lost lose
    metre metres meter meters kilometre kilometres kilometer kilometers mile miles centimetre centimetres litre litres
    kilo kilos kilogram kilograms tonne tonnes ton tons degree degrees pound pounds euro euros dollar dollars
    mr mrs ms dr prof professor etc eg ie www http https com`,
  de: `
    sagt sagte sagen erzählt erzählte erklärt erklärte berichtet laut angaben nach seit mehr weniger schon noch nun heute
    gestern morgen jahr jahre jahren jahres monat monate woche wochen tag tage tagen stunde stunden minute minuten uhr
    zeit mal male ende anfang teil teile seite seiten menschen mensch leute mann frau herr prozent euro million
    millionen milliarden tausend hundert eins zwei drei vier fünf sechs sieben acht neun zehn zwölf zwanzig dreißig
    hälfte drittel viertel doppelte januar februar märz april mai juni juli august september oktober november dezember
    montag dienstag mittwoch donnerstag freitag samstag sonntag frühjahr sommer herbst winter wochenende nachmittag
    kilometer meter tonnen grad weg stück art weise beispiel frage grund wort ding dinge`,
  fr: `
    dit disait explique expliquait assure raconte résume selon depuis après avant encore aussi très plus moins bien
    trop tout tous toute toutes autre autres même deux trois quatre cinq six sept huit neuf dix vingt trente quarante
    cent mille million millions milliards pour cent euros euro an ans année années mois semaine semaines jour jours
    heure heures fois temps janvier février mars avril mai juin juillet août septembre octobre novembre décembre lundi
    mardi mercredi jeudi vendredi samedi dimanche gens personne personnes homme femme chose choses partie fin début
    kilomètre kilomètres mètre mètres nouveau nouvelle nouveaux nouvelles vieux vieille grand grande grands grandes petit
    petite petits petites lieu façon exemple cas peu près alors où lors dont chaque entre sous chez vers comme quand personne rien jamais
    toujours déjà aujourd hui hier demain faut fait faire peut doit doivent va vont autrefois pourtant car`,
  es: `
    dice dijo cuenta explica explicó según desde después antes todavía también muy más menos bien tan todo todos toda
    todas otro otra otros otras mismo misma dos tres cuatro cinco seis siete ocho nueve diez veinte treinta cien ciento
    mil millón millones euros euro año años mes meses semana semanas día días hora horas vez veces tiempo enero febrero
    marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre lunes martes miércoles jueves viernes
    sábado domingo gente persona personas hombre mujer cosa cosas parte fin lado forma manera ejemplo caso casi poco
    nuevo nueva nuevos nuevas viejo vieja viejos viejas joven jóvenes grande grandes pequeño pequeña pequeños metro metros
    kilómetros ser es son era fue fueron han ha haber había hay hace hacer hizo puede pueden tiene tienen está están este esta
    estos estas ese esa esos esas aquel ahora hoy ayer nunca siempre ya sino aunque mientras donde cada entre e
    sin embargo cual cuales ni`,
  it: `
    dice disse racconta spiega risponde secondo dopo prima ancora anche molto più meno bene tanto tutto tutti tutta tutte
    altro altra altri altre stesso due tre quattro cinque sei sette otto nove dieci dodici venti trenta cento mila mille
    milione milioni miliardi euro anno anni mese mesi settimana settimane giorno giorni ora ore volta volte tempo gennaio
    febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre lunedì martedì mercoledì giovedì
    venerdì sabato domenica gente persona persone uomo donna cosa cose parte fine metà modo esempio caso poco quasi
    nuovo nuova nuovi nuove vecchio vecchia grande grandi piccolo piccola piccoli metri chilometri essere è sono era erano fu furono stato stata stati state ha hanno aveva avevano può possono deve già mai sempre
    oggi ieri mentre dove quando perché ogni fra tra qualcuno nessuno sé appena ne`,
  pt: `
    diz disse conta explica segundo desde depois antes ainda também muito mais menos bem tão tudo todos toda todas outro
    outra outros outras mesmo mesma dois duas três quatro cinco seis sete oito nove dez vinte trinta cem cento mil milhão
    milhões euros euro ano anos mês meses semana semanas dia dias hora horas vez vezes tempo janeiro fevereiro março abril
    maio junho julho agosto setembro outubro novembro dezembro segunda terça quarta quinta sexta feira sábado domingo
    novo nova novos novas velho velha grande grandes pequeno pequena metros quilómetros gente pessoa pessoas homem mulher coisa coisas parte fim lado forma maneira exemplo caso quase pouco agora hoje ontem
    nunca sempre já porém enquanto onde cada entre ser é são era eram foi foram há tem têm tinha está estão pode podem
    só algumas alguns nada ele ela eles elas que porque`,
  nl: `
    zegt zei zeggen vertelt volgens sinds meer minder nog ook heel erg wel al alle alles ander andere anderen zelf twee
    drie vier vijf zes zeven acht negen tien twintig honderd duizend miljoen miljard procent euro jaar jaren maand maanden
    week weken dag dagen uur uren minuut minuten keer tijd januari februari maart april mei juni juli augustus september
    oktober november december maandag dinsdag woensdag donderdag vrijdag zaterdag zondag mensen mens man vrouw ding dingen
    deel einde begin kant manier voorbeeld geval vandaag gisteren morgen nooit altijd tussen waar wanneer iedereen niemand`,
};

const made = new Map<string, ReadonlySet<string>>();

/** In lower case. Empty for a language without a list. */
export function stopWordsOf(language: string): ReadonlySet<string> {
  let words = made.get(language);
  if (words === undefined) {
    const own = (COLOURLESS[language] ?? "").split(/\s+/).filter((word) => word !== "");
    words = new Set([...(GRAMMAR[language] ?? []), ...own]);
    made.set(language, words);
  }
  return words;
}
