/** English words that tell what a name beside them names. Chosen by reading news; each list is a heuristic, not a law. */

const set = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

/** As part of a name: an organization. */
export const ORGANIZATION_WORDS = set(`
  University Institute Institution Council Ltd Limited Inc Incorporated plc PLC GmbH AG SA NV BV LLC LLP Corp Corporation
  Company Group Holdings Bank Agency Ministry Department Authority Trust Foundation Association Society Museum Gallery
  Theatre Theater Orchestra Philharmonic Choir Club United Athletic Rovers Harriers FC Party Union Press Times
  Post Herald Daily Tribune Courier Chronicle Gazette Guardian Hospital School College Academy Laboratory Laboratories Labs Commission Committee
  Federation Partners Systems Airlines Airways Railways Railway Observatory Survey Service Services Centre Center Office
  Court Board Senate Parliament Congress Assembly Brewery Bakery Dairy Motors Industries Technologies Software Media
  Studios Records Books Publishing Terminals Transport Logistics Shipping Energy Power Capital Insurance Mutual
  Cooperative Alliance Network Coalition League Church Police Army Navy Guard Constabulary Clearing Consulting
  Consultants Analytics Research Store Stores Supermarkets Hotels Farms Wines Pharmaceuticals Biosciences Therapeutics`);

/** As the last word of a name, or before "of": a place. */
export const PLACE_WORDS = set(`
  River Lake Loch Mount Mountain Mountains Hill Hills Street Road Avenue Lane Bay Valley Vale Island Islands Isle Isles
  Bridge Square Park Station Forest Wood Woods Sea Ocean Desert Peninsula County Coast Harbour Harbor Moor Moss Fell
  Dale Dales Beach Cape Gulf Strait Channel Canal Pass Glacier Falls Gorge Canyon Creek Airport Pier Quay Castle Cathedral
  Abbey Palace Tower Gardens Common Heath Fen Marsh Estuary Province Region District City Town Village Basin Plateau Ridge
  Reef Point Hall Mill Alps Lido Holm Skerry Kingdom Republic States`);

/** As the first word of a name: a place. */
export const PLACE_OPENERS = set(
  "Lower Upper Great Little New Port Fort Mount San Santa Santo Saint St Le La Los Las El Puerto",
);

/** Before "of" and a name: a place. */
export const PLACE_NOUNS = set(`
  people town village city state residents port valley island county province coast streets outskirts north south east west
  hamlet region kingdom republic mayor suburb inhabitants canton bay gulf sea commune district department`);

/** Places that the lexicon of `compromise` does not know as such. */
export const KNOWN_PLACES = set(`
  Britain England Scotland Wales Europe Africa Asia America Antarctica Arctic Scandinavia Balkans Netherlands Benelux
  Caribbean Sahara Himalayas Siberia Bavaria Flanders Catalonia Andalusia Tuscany Brittany Normandy Yorkshire Cornwall
  Lancashire Kent Sussex Devon Somerset Norfolk Suffolk Essex Midlands`);

/** As the last word of a name: a work, or a law. */
export const WORK_WORDS = set("Symphony Concerto Sonata Quartet Requiem Suite Overture Act Treaty Charter Trilogy");

/** Before a name: a person. They are not part of it. */
export const TITLES = set(`
  Dr Mr Mrs Ms Miss Mx Prof Professor Sir Dame Lord Lady Judge Justice Alderman Alderwoman Councillor Captain Commander
  Colonel Sergeant Lieutenant Inspector Superintendent Detective Constable President Minister Premier
  Chancellor Senator Governor Mayor King Queen Prince Princess Pope Bishop Archbishop Father Reverend Rabbi Imam Coach
  Chef Nurse Station Chief Prime Deputy Leader Speaker CEO Sen Rep Gov Gen Col Capt Sgt Lt Rev Historian Economist`);

/** After a name: a person speaks, thinks or acts. */
export const SPEECH = set(`
  said says told tells asked asks added adds admits admitted argues argued believes believed warns warned explains
  explained recalls recalled agrees agreed replied replies insists insisted notes noted wrote writes thinks thought laughs
  laughed grinned smiled wept denies denied apologised apologized resigned retired studied grew remembered remembers
  hopes hoped fears feared calls called points plays played sings sang scored won lost finished founded teaches taught
  leads led directs directed runs noticed reported is was has had died`);

/** Straight before a name: somebody's calling. */
export const CALLINGS = set(`
  owner director manager captain coach chairman chairwoman chair chairperson president founder co-founder spokesman
  spokeswoman spokesperson minister mayor senator deputy professor doctor nurse surgeon dentist pharmacist teacher
  lecturer student historian archaeologist scientist physicist chemist biologist microbiologist botanist geologist
  astronomer economist analyst engineer architect conservator librarian journalist critic author novelist writer poet
  composer conductor cellist pianist violinist singer actor actress painter sculptor photographer player striker
  defender goalkeeper runner sprinter cyclist boatbuilder keeper farmer fisherman baker chef cook brewer winemaker
  lawyer barrister solicitor judge detective officer firefighter executive secretary treasurer leader researcher
  postman carpenter builder plumber husband wife son daughter brother sister mother father neighbour neighbor colleague
  granddaughter grandson widow friend pensioner volunteer champion runner-up midfielder winger hydrologist curator
  ecologist psychologist sociologist statistician climatologist oceanographer epidemiologist psychiatrist trainer`);

/** Straight before a name: an organization of that kind. */
export const CONCERNS = set(`
  company firm maker manufacturer brewery union club consultancy charity magazine newspaper publisher supplier insurer
  house dealer retailer group trust bank carrier operator airline brand start-up startup federation association lender
  supermarket chain broker agency developer team band label rival rivals against`);

/** After a name and its possessive: what only an organization has. */
export const HOLDINGS = set(`
  founder chief executive spokeswoman spokesman spokesperson director shares members customers rules board supporters
  headquarters chairman chairwoman employees workers owners profits revenue coach insurer engineers terminals`);

/** Straight before a name: a ship or a work of that kind. */
export const MAKINGS = set(`
  trawler boat ship vessel yacht ferry steamer lifeboat barge schooner frigate novel book film album song play series
  painting opera poem documentary magazine podcast exhibition musical titled entitled`);

/** Before a name, how surely it is a place. */
export const PLACE_PREPOSITIONS: Readonly<Record<string, number>> = {
  ...{
    in: 1.5,
    near: 2,
    outside: 2,
    across: 1.5,
    around: 1,
    throughout: 2,
    between: 0.5,
    at: 0.75,
    from: 0.75,
    to: 0.5,
  },
  ...{
    into: 1,
    through: 1,
    northern: 2,
    southern: 2,
    eastern: 2,
    western: 2,
    central: 1.5,
    off: 1,
    towards: 1,
    via: 1,
  },
};

/** Behind the name of a company. */
export const LEGAL_FORMS = set("Inc Ltd Limited plc PLC Corp Corporation Company Co GmbH AG SA NV BV LLC LLP Group");

/** Capitalised only in headings and slogans: what holds one of these is no name. */
export const HEADING_WORDS = set(`
  Your Our My His Her Their It You We They Me Us Them For To With And In On At Is Are Be Was Were Do Does Not This That
  These Those How What Why When Where Who From By Or But If Into About Here Now`);

/** Capitalised in English without naming anything that we list. */
export const NO_NAMES = set(`
  I I'm I've I'd I'll OK TV PM AM Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May
  June July August September October November December Mondays Tuesdays Wednesdays Thursdays Fridays Saturdays Sundays
  Christmas Easter English French German Spanish Italian Portuguese Dutch Flemish Belgian Swiss Austrian Danish Swedish
  Norwegian Finnish Icelandic Irish Scottish Scots Welsh British Britons European Europeans American Americans Canadian
  Mexican Brazilian Chilean Argentine Californian Asian African Chinese Japanese Korean Indian Russian Ukrainian Polish
  Czech Hungarian Romanian Bulgarian Greek Turkish Arab Arabic Israeli Iranian Ethiopian Kenyan Nigerian Egyptian
  Australian Western Eastern Northern Southern Latin Christian Muslim Jewish Catholic Protestant Mediterranean
  Mr Mrs Ms Dr Sir Professor North South East West God Internet`);

/** Join the parts of one name: `Rutger van Aalst`, `Costa del Sol`. */
export const PARTICLES = set("van von der den de la le du des di da del della dos das el al bin ter ten y");
