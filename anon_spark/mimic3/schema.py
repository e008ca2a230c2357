"""MIMIC-III v1.4: 26 tables, 324 columns, with types, nullability and foreign keys.

Facts of the schema as the MIMIC Code Repository states them (buildmimic, MIT licence).
"""

from anon_spark.policy.schema import SourceTable, parse_table

_TABLES = (
    (
        "ADMISSIONS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! ADMITTIME:timestamp! DISCHTIME:timestamp! "
        "DEATHTIME:timestamp ADMISSION_TYPE:string! ADMISSION_LOCATION:string! "
        "DISCHARGE_LOCATION:string! INSURANCE:string! LANGUAGE:string RELIGION:string "
        "MARITAL_STATUS:string ETHNICITY:string! EDREGTIME:timestamp EDOUTTIME:timestamp "
        "DIAGNOSIS:string HOSPITAL_EXPIRE_FLAG:int HAS_CHARTEVENTS_DATA:int!",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID",
    ),
    (
        "CALLOUT",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! SUBMIT_WARDID:int SUBMIT_CAREUNIT:string "
        "CURR_WARDID:int CURR_CAREUNIT:string CALLOUT_WARDID:int CALLOUT_SERVICE:string! "
        "REQUEST_TELE:int! REQUEST_RESP:int! REQUEST_CDIFF:int! REQUEST_MRSA:int! REQUEST_VRE:int! "
        "CALLOUT_STATUS:string! CALLOUT_OUTCOME:string! DISCHARGE_WARDID:int "
        "ACKNOWLEDGE_STATUS:string! CREATETIME:timestamp! UPDATETIME:timestamp! "
        "ACKNOWLEDGETIME:timestamp OUTCOMETIME:timestamp! FIRSTRESERVATIONTIME:timestamp "
        "CURRENTRESERVATIONTIME:timestamp",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "CAREGIVERS",
        "ROW_ID:int! CGID:int! LABEL:string DESCRIPTION:string",
        "",
    ),
    (
        "CHARTEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int ICUSTAY_ID:int ITEMID:int CHARTTIME:timestamp "
        "STORETIME:timestamp CGID:int VALUE:string VALUENUM:double VALUEUOM:string WARNING:int "
        "ERROR:int RESULTSTATUS:string STOPPED:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID CGID->CAREGIVERS.CGID HADM_ID->ADMISSIONS.HADM_ID "
        "ITEMID->D_ITEMS.ITEMID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID",
    ),
    (
        "CPTEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! COSTCENTER:string! CHARTDATE:timestamp "
        "CPT_CD:string! CPT_NUMBER:int CPT_SUFFIX:string TICKET_ID_SEQ:int SECTIONHEADER:string "
        "SUBSECTIONHEADER:string DESCRIPTION:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "DATETIMEEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int ICUSTAY_ID:int ITEMID:int! CHARTTIME:timestamp! "
        "STORETIME:timestamp! CGID:int! VALUE:timestamp VALUEUOM:string! WARNING:int ERROR:int "
        "RESULTSTATUS:string STOPPED:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID CGID->CAREGIVERS.CGID HADM_ID->ADMISSIONS.HADM_ID "
        "ITEMID->D_ITEMS.ITEMID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID",
    ),
    (
        "DIAGNOSES_ICD",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! SEQ_NUM:int ICD9_CODE:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "DRGCODES",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! DRG_TYPE:string! DRG_CODE:string! "
        "DESCRIPTION:string DRG_SEVERITY:int DRG_MORTALITY:int",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "D_CPT",
        "ROW_ID:int! CATEGORY:int! SECTIONRANGE:string! SECTIONHEADER:string! SUBSECTIONRANGE:string! "
        "SUBSECTIONHEADER:string! CODESUFFIX:string MINCODEINSUBSECTION:int! MAXCODEINSUBSECTION:int!",
        "",
    ),
    (
        "D_ICD_DIAGNOSES",
        "ROW_ID:int! ICD9_CODE:string! SHORT_TITLE:string! LONG_TITLE:string!",
        "",
    ),
    (
        "D_ICD_PROCEDURES",
        "ROW_ID:int! ICD9_CODE:string! SHORT_TITLE:string! LONG_TITLE:string!",
        "",
    ),
    (
        "D_ITEMS",
        "ROW_ID:int! ITEMID:int! LABEL:string ABBREVIATION:string DBSOURCE:string LINKSTO:string "
        "CATEGORY:string UNITNAME:string PARAM_TYPE:string CONCEPTID:int",
        "",
    ),
    (
        "D_LABITEMS",
        "ROW_ID:int! ITEMID:int! LABEL:string! FLUID:string! CATEGORY:string! LOINC_CODE:string",
        "",
    ),
    (
        "ICUSTAYS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! ICUSTAY_ID:int! DBSOURCE:string! "
        "FIRST_CAREUNIT:string! LAST_CAREUNIT:string! FIRST_WARDID:int! LAST_WARDID:int! "
        "INTIME:timestamp! OUTTIME:timestamp LOS:double",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "INPUTEVENTS_CV",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int ICUSTAY_ID:int CHARTTIME:timestamp ITEMID:int "
        "AMOUNT:double AMOUNTUOM:string RATE:double RATEUOM:string STORETIME:timestamp CGID:int "
        "ORDERID:int LINKORDERID:int STOPPED:string NEWBOTTLE:int ORIGINALAMOUNT:double "
        "ORIGINALAMOUNTUOM:string ORIGINALROUTE:string ORIGINALRATE:double ORIGINALRATEUOM:string "
        "ORIGINALSITE:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID "
        "CGID->CAREGIVERS.CGID",
    ),
    (
        "INPUTEVENTS_MV",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int ICUSTAY_ID:int STARTTIME:timestamp ENDTIME:timestamp "
        "ITEMID:int AMOUNT:double AMOUNTUOM:string RATE:double RATEUOM:string STORETIME:timestamp "
        "CGID:int ORDERID:int LINKORDERID:int ORDERCATEGORYNAME:string "
        "SECONDARYORDERCATEGORYNAME:string ORDERCOMPONENTTYPEDESCRIPTION:string "
        "ORDERCATEGORYDESCRIPTION:string PATIENTWEIGHT:double TOTALAMOUNT:double "
        "TOTALAMOUNTUOM:string ISOPENBAG:int CONTINUEINNEXTDEPT:int CANCELREASON:int "
        "STATUSDESCRIPTION:string COMMENTS_EDITEDBY:string COMMENTS_CANCELEDBY:string "
        "COMMENTS_DATE:timestamp ORIGINALAMOUNT:double ORIGINALRATE:double",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID "
        "ITEMID->D_ITEMS.ITEMID CGID->CAREGIVERS.CGID",
    ),
    (
        "LABEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int ITEMID:int! CHARTTIME:timestamp VALUE:string "
        "VALUENUM:double VALUEUOM:string FLAG:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ITEMID->D_LABITEMS.ITEMID",
    ),
    (
        "MICROBIOLOGYEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int CHARTDATE:timestamp CHARTTIME:timestamp "
        "SPEC_ITEMID:int SPEC_TYPE_DESC:string ORG_ITEMID:int ORG_NAME:string ISOLATE_NUM:int "
        "AB_ITEMID:int AB_NAME:string DILUTION_TEXT:string DILUTION_COMPARISON:string "
        "DILUTION_VALUE:double INTERPRETATION:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID SPEC_ITEMID->D_ITEMS.ITEMID "
        "ORG_ITEMID->D_ITEMS.ITEMID AB_ITEMID->D_ITEMS.ITEMID",
    ),
    (
        "NOTEEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int CHARTDATE:timestamp CHARTTIME:timestamp "
        "STORETIME:timestamp CATEGORY:string DESCRIPTION:string CGID:int ISERROR:string TEXT:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID CGID->CAREGIVERS.CGID",
    ),
    (
        "OUTPUTEVENTS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int ICUSTAY_ID:int CHARTTIME:timestamp ITEMID:int "
        "VALUE:double VALUEUOM:string STORETIME:timestamp CGID:int STOPPED:string NEWBOTTLE:string "
        "ISERROR:int",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID "
        "ITEMID->D_ITEMS.ITEMID CGID->CAREGIVERS.CGID",
    ),
    (
        "PATIENTS",
        "ROW_ID:int! SUBJECT_ID:int! GENDER:string! DOB:timestamp! DOD:timestamp DOD_HOSP:timestamp "
        "DOD_SSN:timestamp EXPIRE_FLAG:int!",
        "",
    ),
    (
        "PRESCRIPTIONS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! ICUSTAY_ID:int STARTDATE:timestamp "
        "ENDDATE:timestamp DRUG_TYPE:string! DRUG:string! DRUG_NAME_POE:string "
        "DRUG_NAME_GENERIC:string FORMULARY_DRUG_CD:string GSN:string NDC:string PROD_STRENGTH:string "
        "DOSE_VAL_RX:string DOSE_UNIT_RX:string FORM_VAL_DISP:string FORM_UNIT_DISP:string "
        "ROUTE:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID",
    ),
    (
        "PROCEDUREEVENTS_MV",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! ICUSTAY_ID:int STARTTIME:timestamp "
        "ENDTIME:timestamp ITEMID:int VALUE:double VALUEUOM:string LOCATION:string "
        "LOCATIONCATEGORY:string STORETIME:timestamp CGID:int ORDERID:int LINKORDERID:int "
        "ORDERCATEGORYNAME:string SECONDARYORDERCATEGORYNAME:string ORDERCATEGORYDESCRIPTION:string "
        "ISOPENBAG:int CONTINUEINNEXTDEPT:int CANCELREASON:int STATUSDESCRIPTION:string "
        "COMMENTS_EDITEDBY:string COMMENTS_CANCELEDBY:string COMMENTS_DATE:timestamp",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID "
        "ITEMID->D_ITEMS.ITEMID CGID->CAREGIVERS.CGID",
    ),
    (
        "PROCEDURES_ICD",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! SEQ_NUM:int! ICD9_CODE:string!",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "SERVICES",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! TRANSFERTIME:timestamp! PREV_SERVICE:string "
        "CURR_SERVICE:string",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID",
    ),
    (
        "TRANSFERS",
        "ROW_ID:int! SUBJECT_ID:int! HADM_ID:int! ICUSTAY_ID:int DBSOURCE:string EVENTTYPE:string "
        "PREV_CAREUNIT:string CURR_CAREUNIT:string PREV_WARDID:int CURR_WARDID:int INTIME:timestamp "
        "OUTTIME:timestamp LOS:double",
        "SUBJECT_ID->PATIENTS.SUBJECT_ID HADM_ID->ADMISSIONS.HADM_ID ICUSTAY_ID->ICUSTAYS.ICUSTAY_ID",
    ),
)

MULTILINE = {"NOTEEVENTS"}  # notes hold line breaks inside quotes

TABLES: dict[str, SourceTable] = {
    name: parse_table(name, columns, keys, multiline=name in MULTILINE) for name, columns, keys in _TABLES
}
"""Every table by name, columns in the order of the distributed files."""

DICTIONARIES = ("D_CPT", "D_ICD_DIAGNOSES", "D_ICD_PROCEDURES", "D_ITEMS", "D_LABITEMS")
"""Public code tables: they describe no person."""
