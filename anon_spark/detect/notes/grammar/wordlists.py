"""Words of the ward that look like names and are nobody's: headings, organisms, scales, brands, regimens, units."""


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", " ").split(";") if part.strip())


HEADINGS = _lines(
    """Chief Complaint; History of Present Illness; Past Medical History; Past Surgical History; Family History;
    Social History; Review of Systems; Physical Examination; Medications on Admission; Discharge Medications; Home Medications;
    Current Medications; Allergies; Assessment and Plan; Assessment; Impression; Recommendations; Hospital Course;
    Brief Hospital Course; Discharge Diagnosis; Admission Diagnosis; Final Diagnosis; Principal Diagnosis; Secondary Diagnoses;
    Procedures Performed; Operative Findings; Estimated Blood Loss; Complications; Specimens; Condition at Discharge;
    Disposition; Follow-up Instructions; Transitional Issues; Pertinent Results; Laboratory Data; Imaging Studies; Microbiology;
    Vital Signs; General Appearance; Mental Status Exam; Neurological Exam; Cranial Nerves; Motor Exam; Sensory Exam;
    Gait and Station; Code Status; Goals of Care; Advance Directives; Functional Status; Prior Level of Function; Home Environment;
    Precautions; Short Term Goals; Long Term Goals; Plan of Care; Patient Education; Barriers to Discharge; Risk Factors;
    Cardiac Risk Factors; Interval History; Subjective; Objective; Overnight Events; Lines and Tubes; Ins and Outs; Ventilator Settings;
    Indication; Technique; Comparison; Findings; Clinical Information; Gross Description; Microscopic Description; Specimen Source;
    Birth History; Developmental History; Immunizations; Growth Parameters; Obstetric History; Gynecologic History; Labor Course;
    Delivery Summary; Apgar Scores; Prenatal Labs; Substance Use; Legal History; Trauma History; Psychiatric History; Risk Assessment;
    Safety Plan; Diagnostic Impression; Treatment Plan; Informed Consent; Time Out; Anesthesia; Preoperative Diagnosis;
    Postoperative Diagnosis; Description of Procedure; Implants; Drains; Counts; Occupational History; Travel History;
    Sexual History; Pain Assessment; Skin Assessment; Fall Risk; Wound Care; Diet; Activity; Discharge Instructions; Return Precautions;
    Medical Decision Making; Differential Diagnosis; ED Course; Critical Care Time; Attending Attestation; Reason for Consultation;
    Reason for Referral; Reason for Visit; Health Maintenance; Problem List; Active Problems; Resolved Problems; Care Team;
    Emergency Contact; Insurance Information; Billing Information; Oncologic History; Chemotherapy; Performance Status; Staging;
    Radiation Therapy; Pulmonary Function Tests; Exercise Tolerance; Device Interrogation; Nutrition; Equipment Needs; Time Spent"""
)
ORGANISMS = _lines(
    """Escherichia coli; Klebsiella pneumoniae; Pseudomonas aeruginosa; Staphylococcus aureus; Streptococcus pneumoniae;
    Enterococcus faecalis; Candida albicans; Candida glabrata; Clostridium difficile; Clostridioides difficile; Serratia marcescens;
    Acinetobacter baumannii; Stenotrophomonas maltophilia; Mycobacterium tuberculosis; Mycoplasma; Chlamydia trachomatis;
    Neisseria gonorrhoeae; Listeria monocytogenes; Salmonella; Shigella; Campylobacter jejuni; Helicobacter pylori; Aspergillus fumigatus;
    Cryptococcus; Pneumocystis jirovecii; Toxoplasma; Borrelia burgdorferi; Babesia microti; Bartonella henselae; Strongyloides;
    Group A Strep; Strep viridans; Staph epidermidis; Gardnerella; Trichomonas; Cutibacterium acnes; Morganella morganii;
    Citrobacter freundii; Enterobacter cloacae; Actinomyces israelii; Nocardia; Histoplasma; Blastomyces; Coccidioides; Giardia lamblia"""
)
SCALES = _lines(
    """PHQ-9; GAD-7; AUDIT-C; Columbia Suicide Severity; CAGE; Edinburgh Postnatal Depression; Oswestry; DASH; Boston Carpal Tunnel; WOMAC;
    Constant-Murley; Richards-Campbell; Confusion Assessment Method; Mini-Mental; Clock Drawing; Borg; Wong-Baker FACES;
    Pittsburgh; Richmond Agitation; Riker; Sequential Organ Failure; Charlson Comorbidity; Elixhauser; Revised Cardiac Risk; Caprini;
    Padua; HEART; GRACE; Centor; Ottawa Ankle; Canadian C-Spine; NEXUS; PERC; Alvarado; Blatchford; Glasgow-Blatchford;
    West Haven; Los Angeles grade B; Prague C2M4; Paris classification; Boston Bowel Prep; Kudo; Harvey-Bradshaw; Truelove and Witts;
    New York Heart Association class II; Canadian Cardiovascular Society class II; Sgarbossa criteria; Modified Rankin; Barthel; Ashworth;
    Bristol stool type 4; Ballard; Dubowitz; Silverman; Bethesda category II; Nugent; Fitzgerald criteria;
    Kidney Disease Improving Global Outcomes; Surviving Sepsis; Berlin criteria; Stanford type B; DeBakey; Crawford extent II; Fontaine;
    Rai stage 0; Binet A; Salmon-Durie; Durie-Salmon; Nottingham grade 2; Bloom-Richardson; Van Nuys; Fuhrman; Clavien-Dindo;
    Schwab; Cobb angle; Meyerding; Frankel; Gartland type II; Winquist; Vancouver B2; Neer three-part; Frykman; Tile B; Young-Burgess"""
)
BRANDS = _lines(
    """Kerlix; Coban; Xeroform; Adaptic; Tegaderm; Allevyn; Duoderm; Hemovac; Blake drain; Bair Hugger; Passy-Muir valve; Bovie; Ligasure;
    Harmonic scalpel; Balfour retractor; Bookwalter; Weitlaner; Metzenbaum; Army-Navy retractors; DeBakey forceps; Allis clamp; Kocher clamp;
    Babcock; Richardson retractor; Deaver; Gigli saw; Kirschner wires; Steinmann pin; Ilizarov frame; Synthes plate; Stryker bed;
    Zimmer splint; Medtronic Micra; Boston Scientific stent; Abbott assay; Edwards valve; Biotronik lead; Cook catheter; Bard port;
    Arrow line; Mahurkar catheter; Permcath; Port-a-Cath; Omniflex; Glidewire; Amplatz wire; Cobra catheter; Simmons catheter; Judkins left;
    Amplatz right; Perclose; Angio-Seal; Impella; Tandem Heart; Prisma; Drager; Vapotherm; Optiflow; Airvo; Respironics;
    Rollator; Broda chair; Geri chair; Hoyer; Sara Stedy; Philadelphia collar; Miami J; Aspen collar; Jewett brace; Darco; Ace wrap;
    Ensure; Boost; Glucerna; Nepro; Osmolite; Vital AF; Similac; Enfamil; Pedialyte; Juven; ProStat; Thick-It; Beneprotein; Nutramigen;
    OneTouch Ultra; FreeStyle Libre; Omnipod; Tandem pump; Humapen; Epic; Cerner; Meditech; Powerchart; CareVue; Pyxis; Omnicell;
    Dragon; Vocera; Zoom; Google; Facebook; Uber; Lyft; Advil PM; Tums; Maalox; Mylanta; Pepto-Bismol; Robitussin; Mucinex; Benadryl;
    Betadine; ChloraPrep; Hibiclens; DuraPrep; Dermabond; Steri-Strips; Vicryl; Monocryl; Prolene; Ethibond; Surgicel; Gelfoam; Floseal;
    Tisseel; Marlex; Gore-Tex; Dacron; Alloderm; Integra; Apligraf; Zemuron; Anectine; Diprivan; Sevoflurane; Exparel; Marcaine; Xylocaine"""
)
REGIMENS = _lines(
    """FOLFOX; R-CHOP; ABVD; BEACOPP; AC-T; TCHP; carboplatin/Taxol; cis/etoposide; Hyper-CVAD; 7+3; MEC; FLAG-Ida; CyBorD; RVd; VRD;
    gemcitabine/Abraxane; XELOX; CAPOX; MAP; VAC/IE; BEP; EMA-CO; CMF; TC x4; Magrath; DA-R-EPOCH; GVD; ICE; DHAP; BEAM; Bu/Cy; Flu/Mel"""
)
MARKERS = _lines(
    """BRAF V600E; KRAS G12D; EGFR exon 19 deletion; HER2 3+; ER 95%; PR negative; Ki-67 40%; BRCA1; TP53; FLT3-ITD; NPM1; JAK2 V617F; BCR-ABL;
    CD20; CD34; PD-L1 TPS 50%; MSI-H; ALK rearrangement; MYC; HLA-B27; Factor V Leiden; MTHFR; IDH1; UGT1A1; HbS; Rh negative; CYP2C19; PIK3CA"""
)
UNITS = _lines(
    """MICU; SICU; CCU; CVICU; PACU; NICU; Cath Lab; 4 West; 5 North; 7 East; 6S; Farr 9; Tower 11; Stepdown; Med-Surg; Labor and Delivery;
    Postpartum; Peds ED; Observation Unit; Same Day Surgery; Interventional Radiology; Endoscopy Suite; OR 12; Room 214; Bed 7; Bay 3;
    Telemetry; Oncology; Acute Rehab; Geriatric Psych; Infusion Suite; Nuclear Medicine; Pod C; the floor; the unit; the ED; Urgent Care;
    Cardiology clinic; Pain Clinic; Family Medicine; Women's Health; Wound Clinic; Coumadin Clinic; Surgery Clinic; Primary Care"""
)
TEAMS = _lines(
    """Cardiology; Nephrology; Neurology; General Surgery; Vascular Surgery; Orthopedics; Infectious Disease; Gastroenterology; Hepatology;
    Pulmonary; Critical Care; Palliative Care; Social Work; Case Management; Physical Therapy; Occupational Therapy; Nutrition; Pharmacy;
    Psychiatry; Rheumatology; Endocrinology; Hematology; Oncology; Radiation Oncology; Urology; ENT; Ophthalmology; Dermatology; Geriatrics;
    Pediatrics; OB/GYN; Maternal-Fetal Medicine; Anesthesia; Pain Service; Interventional Radiology; Pathology; Hospital Medicine; Chaplaincy"""
)
TESTS = _lines(
    """CT Head; CT Abdomen/Pelvis; MRI Brain; Chest X-Ray; CXR; KUB; EKG; TTE; TEE; Holter; Zio patch; Carotid Duplex; Renal Ultrasound;
    HIDA Scan; Bone Scan; PET/CT; DEXA; EMG; EEG; Lumbar Puncture; Paracentesis; Thoracentesis; Bronchoscopy; Colonoscopy; EGD; ERCP; MRCP;
    Blood Cultures; Urine Culture; Sputum Gram Stain; Hemoglobin A1c; Lipid Panel; TSH; Free T4; Vitamin D; Ferritin; Troponin; BNP; D-Dimer;
    Lactate; Procalcitonin; CRP; ESR; ANA; Rheumatoid Factor; Hepatitis Panel; HIV Ag/Ab; RPR; Quantiferon; Urinalysis; Urine Drug Screen;
    Pap Smear; Mammogram; PSA; FIT; Cologuard; Stress Echo; Lexiscan; Cardiac MRI; Spirometry; Polysomnogram; Barium Swallow; Tilt Table"""
)
