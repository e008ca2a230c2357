"""Words of the note grammar that are nobody's: drugs, diseases, eponyms, complaints, jobs."""

import random
import re
from functools import cache

from anon_spark.detect.notes.grammar import wordlists
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE
from anon_spark.detect.notes.lexicon import lexicon


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", " ").split(";") if part.strip())


DRUGS = _lines(
    """aspirin; metoprolol; Lopressor; lisinopril; furosemide; Lasix; heparin; warfarin; Coumadin; amiodarone; digoxin;
    vancomycin; Zosyn; Levaquin; levofloxacin; ceftriaxone; Flagyl; metronidazole; cefepime; meropenem; ciprofloxacin;
    azithromycin; ampicillin; gentamicin; fluconazole; acyclovir; Bactrim; insulin; Lantus; Humalog; glipizide; metformin;
    atorvastatin; Lipitor; simvastatin; Zocor; Plavix; clopidogrel; nitroglycerin; hydralazine; labetalol; diltiazem;
    verapamil; amlodipine; Norvasc; captopril; losartan; Diovan; spironolactone; hydrochlorothiazide; Bumex; morphine;
    Dilaudid; hydromorphone; fentanyl; oxycodone; Percocet; Vicodin; Tylenol; acetaminophen; ibuprofen; Toradol;
    Ativan; lorazepam; Versed; midazolam; propofol; Precedex; Haldol; Seroquel; Zyprexa; Risperdal; Zoloft; Celexa; Prozac;
    trazodone; Neurontin; gabapentin; Keppra; Dilantin; phenytoin; Depakote; Tegretol; Levophed; norepinephrine;
    Neosynephrine; vasopressin; dopamine; dobutamine; epinephrine; milrinone; Protonix; pantoprazole; Nexium; Prilosec;
    Zantac; ranitidine; famotidine; Reglan; Zofran; Colace; Senna; Dulcolax; Miralax; lactulose; albuterol; Atrovent;
    Combivent; Advair; Spiriva; Flovent; prednisone; Solu-Medrol; hydrocortisone; dexamethasone; levothyroxine; Synthroid;
    allopurinol; colchicine; folate; thiamine; multivitamin; ferrous sulfate; potassium chloride; KCl; magnesium sulfate;
    calcium gluconate; Lovenox; enoxaparin; argatroban; alteplase; octreotide; Epogen; Neupogen; tacrolimus; CellCept;
    cyclosporine; methotrexate; Remicade; Humira; rituximab; cisplatin; Taxol; Gleevec; tamoxifen; Arimidex; Flomax;
    finasteride; Sinemet; Aricept; Namenda; baclofen; Flexeril; Imitrex; latanoprost; Xalatan; timolol; Alphagan; Trusopt;
    pilocarpine; Lexapro; Wellbutrin; lithium; Eliquis; Xarelto; Januvia; Ozempic; Entresto; Zestril; Cardizem; Tenormin"""
)
TUNE_DRUGS = _lines(
    """carvedilol; Coreg; torsemide; ticagrelor; Brilinta; nafcillin; linezolid; Zyvox; micafungin; daptomycin; Invanz;
    rosuvastatin; Crestor; benazepril; clonidine; minoxidil; ketamine; methadone; Suboxone; Remeron; mirtazapine; Abilify;
    Lamictal; Topamax; Vimpat; sucralfate; Carafate; mesalamine; Imuran; Symbicort; Singulair; Decadron; Cytomel;
    Sensipar; Renvela; Procrit; Prograf; Velcade; Herceptin; Avastin; Cosopt; Travatan; Restasis; Jardiance; Farxiga"""
)
EPONYMS = _lines(
    """Parkinson's disease; Hodgkin's lymphoma; Crohn's disease; Graves' disease; Cushing's syndrome; Addison's disease;
    Alzheimer's disease; Alzheimer dementia; Huntington's chorea; Bell's palsy; Down syndrome; Turner syndrome; Marfan syndrome;
    Wegener's granulomatosis; Goodpasture syndrome; Barrett's esophagus; Mallory-Weiss tear; Zenker's diverticulum;
    Hirschsprung disease; Wilson's disease; Whipple procedure; Hartmann's procedure; Nissen fundoplication; Billroth II;
    Roux-en-Y gastric bypass; Foley catheter; Swan-Ganz catheter; Hickman line; Jackson-Pratt drain; Penrose drain;
    Dobhoff tube; Blakemore tube; Yankauer suction; Murphy's sign; Babinski sign; Kernig's sign; Brudzinski sign;
    Romberg test; Homans sign; Chvostek's sign; Trousseau sign; Wells score; Ranson's criteria; Glasgow Coma Scale;
    Braden scale; Apgar scores; Child-Pugh class B; Framingham risk; Cockcroft-Gault; Light's criteria; Duke criteria;
    Gleason 7; Ann Arbor stage II; Kaposi sarcoma; Burkitt lymphoma; Wilms tumor; Hashimoto thyroiditis; Raynaud phenomenon;
    Sjogren's syndrome; Guillain-Barre syndrome; Lambert-Eaton syndrome; Wolff-Parkinson-White; Brugada pattern; Mobitz II;
    Wenckebach block; Lewy body dementia; Pick disease; Korsakoff psychosis; Wernicke's encephalopathy; Charcot joint;
    Colles fracture; Smith fracture; Jones fracture; Le Fort osteotomy; Baker's cyst; Achilles tendon; Dupuytren contracture;
    Trendelenburg position; Fowler position; Kussmaul respirations; Cheyne-Stokes breathing; Gram stain; Wright stain;
    Coombs test; Doppler; Holter monitor; Bovie cautery; Mayo stand; Kelly clamp; Osler nodes; Janeway lesions; Roth spots;
    Horner's syndrome; Meniere's disease; Paget's disease; Peyronie's disease; Pott's fracture; Tay-Sachs disease;
    von Willebrand disease; Reye's syndrome; Tourette's; Asperger's; Bishop score; Leopold maneuvers; Braxton Hicks;
    Harrington rod; Austin Moore prosthesis; Thomas splint; Allen's test; Weber and Rinne; Epley maneuver; Heimlich maneuver;
    Lachman test; McMurray test; Ewing's sarcoma; Ramsay Hunt; Henoch-Schonlein purpura; Stevens-Johnson syndrome;
    Lou Gehrig's disease; Christmas factor; Morse fall scale; Waterlow score; Norton scale; Hunt and Hess grade 3; Fisher grade 2;
    Berg balance; Barthel index; Beck depression inventory; Hamilton rating scale; King's classification; Sims position;
    Kerley B lines; Hampton's hump; Westermark sign; Sylvian fissure; Circle of Willis; Ringer's lactate; lactated Ringers"""
)
TUNE_EPONYMS = _lines(
    """Takotsubo; Gilbert's syndrome; Ehlers-Danlos; Prinzmetal angina; Buerger's disease; Behcet's disease; Still's disease;
    Felty's syndrome; Caroli disease; Budd-Chiari; Boerhaave syndrome; Meckel's diverticulum; Spitz nevus; Bowen's disease;
    Brown-Sequard; Klippel-Feil; Arnold-Chiari; Dandy-Walker; Argyll Robertson pupil; Adie pupil; Levine sign; Austin Flint murmur;
    Graham Steell murmur; Cullen's sign; Grey Turner sign; Rovsing's sign; Blumer's shelf; Sister Mary Joseph node; Virchow node;
    Sengstaken tube; Salem sump; Groshong catheter; Tesio line; Monteggia fracture; Bennett's fracture; Lisfranc injury;
    Maisonneuve fracture; Salter-Harris II; Garden III; Killip class II; Mallampati 2; Aldrete score; Ramsay sedation 3;
    Naranjo 5; Maddrey score; Rockall score; Forrest IIb; Rutherford class; Mehran; Mayo score; Curling's ulcer; Conn's syndrome"""
)
TEST_DRUGS = _lines(
    """bisoprolol; Bystolic; nebivolol; ranolazine; Ranexa; prasugrel; Effient; ertapenem; tigecycline; Tygacil; caspofungin;
    pravastatin; Livalo; quinapril; ramipril; prazosin; ketorolac; tapentadol; Nucynta; Pristiq; vilazodone; Latuda; Geodon;
    Zonegran; Banzel; Pepcid; Dexilant; budesonide; Entocort; Breo; Dulera; Medrol; Armour; Fosrenol; Velphoro; Aranesp; Rapamune;
    Kyprolis; Perjeta; Opdivo; Lumigan; Azopt; Tradjenta; Invokana; Plaquenil; Otezla"""
)
TEST_EPONYMS = _lines(
    """Zollinger-Ellison; Plummer-Vinson; Osgood-Schlatter; Legg-Calve-Perthes; Sturge-Weber; Peutz-Jeghers; Prader-Willi;
    Charcot-Marie-Tooth; Creutzfeldt-Jakob; Dressler's syndrome; Eisenmenger physiology; Ebstein anomaly; Takayasu arteritis;
    Kawasaki disease; Chagas disease; Lyme disease; Hansen's disease; Sweet syndrome; Bartter's; Liddle syndrome; Fanconi anemia;
    Gaucher disease; Fabry disease; Pompe disease; Hunter syndrome; Hurler syndrome; Lhermitte's sign; Hoffmann's sign; Spurling test;
    Finkelstein test; Thompson test; Galeazzi fracture; Jefferson fracture; Chance fracture; Holstein-Lewis; Bankart lesion;
    Hill-Sachs; Gustilo II; Weber B; Schatzker IV; Lauge-Hansen; Denver drain; Malecot; Shiley trach; Bivona; Broviac; Kehr sign"""
)
DISEASES = _lines(
    """hypertension; type 2 diabetes; diabetes mellitus; coronary artery disease; congestive heart failure; CHF; COPD; asthma;
    atrial fibrillation; afib; pneumonia; aspiration pneumonia; sepsis; septic shock; urinary tract infection; UTI; GI bleed;
    upper GI bleed; cirrhosis; hepatitis C; alcohol withdrawal; pancreatitis; cholecystitis; small bowel obstruction;
    diverticulitis; colon cancer; lung cancer; breast cancer; prostate cancer; metastatic melanoma; multiple myeloma; AML;
    acute renal failure; ESRD on HD; chronic kidney disease; stroke; CVA; TIA; subdural hematoma; subarachnoid hemorrhage;
    seizure disorder; dementia; delirium; depression; bipolar disorder; anxiety; hypothyroidism; anemia; DVT; pulmonary embolism;
    aortic stenosis; mitral regurgitation; endocarditis; osteomyelitis; cellulitis; hip fracture; rheumatoid arthritis; gout;
    SLE; HIV; syncope; hyponatremia; hyperkalemia; DKA; respiratory failure; ARDS; cardiac arrest; NSTEMI; STEMI; unstable angina;
    peripheral vascular disease; abdominal aortic aneurysm; obesity; sleep apnea; GERD; BPH; osteoporosis; migraine; lymphoma"""
)
COMPLAINTS = _lines(
    """chest pain; shortness of breath; dyspnea on exertion; fever; chills; cough; abdominal pain; nausea; vomiting; diarrhea;
    melena; hematemesis; weakness; dizziness; headache; confusion; altered mental status; back pain; leg swelling; palpitations;
    fatigue; weight loss; dysuria; hematuria; rash; sore throat; blurry vision; numbness; falls; insomnia; poor appetite"""
)
FINDINGS = _lines(
    """a small left pleural effusion; bibasilar atelectasis; right lower lobe infiltrate; three vessel disease; EF 35%;
    no acute process; diffuse ST changes; a 2 cm mass; mild pulmonary edema; gallstones; a subacute infarct; K 6.2; Hct 22;
    low urine output; a GI bleed; leukocytosis to 22; a positive troponin; hypotension to 70/40; rapid afib; free air"""
)
PROCEDURES = _lines(
    """CABG x3; cardiac catheterization; cholecystectomy; appendectomy; total hip replacement; TKR; hysterectomy; EGD;
    colonoscopy; bronchoscopy; tracheostomy and PEG; AVR; pacemaker placement; ORIF; craniotomy; hernia repair; mastectomy;
    lumbar puncture; PICC placement; thoracentesis; paracentesis; carotid endarterectomy; AAA repair; exploratory laparotomy;
    right upper lobectomy; liver transplant; renal transplant; TURP; C-section; tonsillectomy; ERCP; IVC filter; PCI with stent"""
)
BUGS = _lines(
    "MRSA; MSSA; E. coli; Klebsiella; Pseudomonas; VRE; coag negative staph; yeast; C. difficile; Enterobacter; GPCs"
)
JOBS = _lines(
    """teacher; carpenter; nurse; truck driver; engineer; lawyer; accountant; cook; plumber; electrician; secretary; farmer;
    police officer; firefighter; postal worker; machinist; salesman; janitor; waitress; bus driver; professor; mechanic"""
)
CARS = _lines(
    "Toyota Camry; van; delivery van; delivery truck; SUV; taxi; bus; tractor; golf cart; e-bike; Tesla; Buick; Honda Civic; Ford F-150; Chevy pickup; motorcycle; Subaru Outback; minivan; blue sedan"
)
RELATIVES = _lines(
    """wife; husband; son; daughter; mother; father; brother; sister; niece; nephew; partner; friend; dtr; mom; dad; aunt;
    uncle; grandson; granddaughter; neighbor; cousin; girlfriend; boyfriend; fiance; sister-in-law; son-in-law"""
)
WORDS = {
    "dx": DISEASES, "cc": COMPLAINTS, "finding": FINDINGS, "proc": PROCEDURES, "bug": BUGS, "job": JOBS, "car": CARS,
    "rw": RELATIVES, "heading": wordlists.HEADINGS, "organism": wordlists.ORGANISMS, "scale": wordlists.SCALES,
    "brand": wordlists.BRANDS, "regimen": wordlists.REGIMENS, "marker": wordlists.MARKERS, "unit": wordlists.UNITS,
    "team": wordlists.TEAMS, "test": wordlists.TESTS,
}  # fmt: skip


@cache
def clinical_words() -> tuple[str, ...]:
    """Words of titles of diseases and drugs: filler that no list above holds."""
    return tuple(
        sorted(
            word
            for word, flags in lexicon().items()
            if set(flags) <= set("eEmd") and {"m", "d"} & set(flags) and len(word) > 4
        )
    )


@cache
def namesakes() -> tuple[str, ...]:
    """Names that diseases and tools bear, as lists hold them; those kept for tune and test left out."""
    kept = {w.lower() for name in (*TUNE_EPONYMS, *TEST_EPONYMS) for w in re.findall(r"[^\W\d_]+", name)}
    return tuple(
        sorted(
            w.capitalize() for w, flags in lexicon().items() if "p" in flags and len(w) > 3 and w not in kept
        )
    )


@cache
def plain_words() -> tuple[str, ...]:
    """Words of English and of titles of diseases that are in no list of names."""
    return tuple(
        sorted(word for word, flags in lexicon().items() if set(flags) <= set("eEm") and len(word) > 2)
    )


STEMS = "ar be cel du el fen gly hep im jo ka lev mor nex ox pra qui ros syn tri ul ven xel zan vi co al re pro tra me lo".split()
TAILS = (
    "ra ol ex in ium ax ix ade ine ide ate one pril sartan statin mab nib zole vir cillin mycin pam lol dipine tidine zone "
    "prazole parin triptan gliptin floxacin cef dex trol via ity ven lan ron ose"
).split()


def trade_name(draw: random.Random) -> str:
    """A word made as names of drugs and products are."""
    return (
        "".join(draw.choice(STEMS) for _ in range(draw.choice((1, 2, 2)))) + draw.choice(TAILS)
    ).capitalize()


DRUGS_OF = {TRAIN: DRUGS, TUNE: TUNE_DRUGS, TEST: TEST_DRUGS}
EPONYMS_OF = {TRAIN: EPONYMS, TUNE: TUNE_EPONYMS, TEST: TEST_EPONYMS}
